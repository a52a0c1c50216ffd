// Stands for 'mocha' in the bundle for the web worker extension host, which can load nothing but this one file.
import '../../node_modules/mocha/mocha.js';
import type Mocha from 'mocha';

const scope = globalThis as typeof globalThis & { Mocha: typeof Mocha } & Pick<
    Mocha.MochaGlobals,
    'after' | 'afterEach' | 'before' | 'describe' | 'it'
  >;

export default scope.Mocha;

// Looked up when called: mocha sets them once its interface is chosen.
export const after = (hook: Mocha.Func | Mocha.AsyncFunc): Mocha.Hook => scope.after(hook);
export const before = (hook: Mocha.Func | Mocha.AsyncFunc): Mocha.Hook => scope.before(hook);
export const afterEach = (hook: Mocha.Func | Mocha.AsyncFunc): Mocha.Hook => scope.afterEach(hook);
export const describe = (title: string, body: (this: Mocha.Suite) => void): Mocha.Suite =>
  scope.describe(title, body);
export const it = (title: string, body: Mocha.AsyncFunc): Mocha.Test => scope.it(title, body);
