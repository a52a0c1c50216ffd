import { describe, expect, it, vi } from 'vitest';
import { Client, RequestError } from '../../src/webview/client';
import { latest, oneByOne } from '../../src/webview/latest';
import type { Ask } from '../../src/webview/protocol';

function channel() {
  const posted: Ask[] = [];
  let receive: (message: unknown) => void = () => undefined;
  let listening = true;
  const port = {
    post: (message: Ask) => void posted.push(message),
    listen: (callback: (message: unknown) => void) => {
      receive = callback;
      return () => {
        listening = false;
      };
    },
  };
  return { port, posted, send: (message: unknown) => receive(message), listening: () => listening };
}

describe('the client', () => {
  it('counts ids from 1 and gives each answer to its own request', async () => {
    const { port, posted, send } = channel();
    const client = new Client(port);
    const first = client.ask('explain', { trace: 0, event: 1 });
    const second = client.ask('copy', { text: 'x' });
    expect(posted.map(({ id, ask }) => [id, ask])).toEqual([
      [1, 'explain'],
      [2, 'copy'],
    ]);
    send({ id: 2, answer: {} });
    send({ id: 1, answer: { event: 1 } });
    expect(await second).toEqual({});
    expect(await first).toEqual({ event: 1 });
    expect(client.outstanding).toBe(0);
  });

  it('rejects with the words of the host', async () => {
    const { port, send } = channel();
    const client = new Client(port);
    const asked = client.ask('flow', { trace: 0, request: 9 });
    send({ id: 1, error: 'there is no request 9' });
    await expect(asked).rejects.toThrow(new RequestError('flow', 'there is no request 9'));
  });

  it('gives up after a while, and takes no late answer', async () => {
    vi.useFakeTimers();
    try {
      const { port, send } = channel();
      const client = new Client(port, 5000);
      const asked = client.ask('copy', { text: '' });
      const failed = expect(asked).rejects.toThrow("No answer to 'copy' within 5 s.");
      await vi.advanceTimersByTimeAsync(5000);
      await failed;
      send({ id: 1, answer: {} });
      expect(client.outstanding).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('passes events to those who listen, until they stop', () => {
    const { port, send } = channel();
    const client = new Client(port);
    const seen: unknown[] = [];
    const stop = client.on('pins', ({ pins }) => seen.push(pins));
    send({ event: 'pins', with: { pins: ['a/0/1'] } });
    send({ event: 'status', with: { text: 'x', failed: false } });
    stop();
    send({ event: 'pins', with: { pins: [] } });
    expect(seen).toEqual([['a/0/1']]);
  });

  it.each([[undefined], [null], ['text'], [{}], [{ id: 'x' }], [{ id: 77, answer: 1 }], [{ event: 'pins' }]])(
    'is not upset by %j',
    (message) => {
      const { port, send } = channel();
      const client = new Client(port);
      expect(() => send(message)).not.toThrow();
      expect(client.outstanding).toBe(0);
    },
  );

  it('rejects what is open when it is disposed of', async () => {
    const { port, listening } = channel();
    const client = new Client(port);
    const asked = client.ask('copy', { text: '' });
    client.dispose();
    await expect(asked).rejects.toBeInstanceOf(RequestError);
    expect(listening()).toBe(false);
  });

  it('says so when a message cannot be posted', async () => {
    const { port } = channel();
    const client = new Client({
      ...port,
      post: () => {
        throw new Error('not clonable');
      },
    });
    await expect(client.ask('copy', { text: '' })).rejects.toThrow('not clonable');
  });
});

describe('wishes', () => {
  it('keeps one piece of work under way and the newest wish', async () => {
    const started: number[] = [];
    const done: number[] = [];
    const ends: (() => void)[] = [];
    const want = latest<number, number>(
      (ask) => {
        started.push(ask);
        return new Promise((resolve) => ends.push(() => resolve(ask)));
      },
      (answer) => done.push(answer),
      () => undefined,
    );
    for (const ask of [1, 2, 3]) want(ask);
    expect(started).toEqual([1]);
    ends[0]!();
    await vi.waitFor(() => expect(started).toEqual([1, 3]));
    ends[1]!();
    await vi.waitFor(() => expect(done).toEqual([1, 3]));
  });

  it('goes on after a failure', async () => {
    const failed: unknown[] = [];
    const done: number[] = [];
    const want = latest<number, number>(
      (ask) => (ask === 1 ? Promise.reject(new Error('no')) : Promise.resolve(ask)),
      (answer) => done.push(answer),
      (error) => failed.push(error),
    );
    want(1);
    want(2);
    await vi.waitFor(() => expect(done).toEqual([2]));
    expect(failed).toHaveLength(1);
  });

  it('does steps in turn, and drops what a held key adds beyond the limit', async () => {
    const log: number[] = [];
    const add = oneByOne(2);
    for (let k = 0; k < 10; k++) {
      add(async () => {
        await Promise.resolve();
        log.push(k);
      });
    }
    await vi.waitFor(() => expect(log).toEqual([0, 1, 2]));
  });
});
