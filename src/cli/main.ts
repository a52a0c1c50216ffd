/** Entry of the `ublk-trace` command line. Exit 2: the command line could not be understood. */
function main(): number {
  process.stderr.write('usage: ublk-trace <command> [options]\n');
  return 2;
}

process.exitCode = main();
