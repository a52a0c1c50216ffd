// Leaves VS Code running in the browser with the packaged extension and the samples: npm run serve [-- --port N].
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from './host_server.mjs';
import { HostError, main } from './host_setup.mjs';
import { packageExtension } from './host_vsix.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

await main(async () => {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8137' }, open: { type: 'boolean', default: false } },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new HostError('--port is a number from 1 to 65535');
  const vsix = packageExtension();
  mkdirSync(join(root, 'out'), { recursive: true });
  const server = await startServer({ vsix, port, ownSignals: true });
  const url = `${server.url}/?folder=${encodeURIComponent(join(root, 'samples'))}`;
  process.stdout.write(`VS Code with the extension and the samples: ${url}\nStop it with Ctrl+C.\n`);
  if (values.open) spawnSync(process.platform === 'darwin' ? 'open' : 'xdg-open', [url]);
  const hold = setInterval(() => {}, 1 << 30);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
  clearInterval(hold);
  await server.stop();
});
