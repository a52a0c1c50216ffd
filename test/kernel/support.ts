import { Choices } from '../../src/kernel/choice';
import { NO_FAULTS } from '../../src/kernel/faults';
import { Kernel } from '../../src/kernel/kernel';
import { Machine, type MachineOptions } from '../../src/kernel/machine';
import { type KernelProfile, kernelProfile } from '../../src/kernel/profile';
import type { Gen } from '../../src/kernel/sched';
import { Recorder } from '../../src/trace/recorder';

export function profile(name = '6.1+splice-zc'): KernelProfile {
  const found = kernelProfile(name);
  if (!found) throw new Error(name);
  return found;
}

/** A kernel with nothing in it. */
export function kernel(memory = 1 << 26): Kernel {
  return new Kernel(new Recorder(), new Choices(1n), profile(), 2, memory);
}

/** A machine without files. */
export function machine(options: Partial<MachineOptions> = {}): Machine {
  return new Machine(new Recorder(), new Choices(1n), {
    profile: profile(),
    cpus: 2,
    memory: 1 << 26,
    blockSize: 4096,
    rawBacking: false,
    partScan: false,
    faults: NO_FAULTS,
    initial: () => undefined,
    stop: () => false,
    ...options,
  });
}

/** Runs bodies as tasks of a kernel until nothing is left to do. */
export function runTasks(k: Kernel, ...bodies: ((task: ReturnType<Kernel['newTask']>) => Gen<void>)[]): void {
  for (const body of bodies) {
    const task = k.newTask('test');
    k.sched.start(task, body(task));
  }
  k.sched.run();
}
