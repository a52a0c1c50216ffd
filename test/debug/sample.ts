import { Client, testHost } from './client';

/** The first sample; tests launch a recorded run of it, so that what they test does not depend on the simulator. */
export const SESSION = 'samples/loop-zc.ublk';
export const SAMPLE = { program: 'test/fixtures/dap/loop-zc.ublktrace.gz' };

/** A client of a session that has been launched on the sample. */
export async function started(args: object = {}): Promise<Client> {
  const client = new Client(testHost({ session: SESSION }));
  await client.start({ ...SAMPLE, ...args });
  return client;
}
