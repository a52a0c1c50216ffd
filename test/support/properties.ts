import fc from 'fast-check';

// The same properties run on every machine, so that a red run can be made again; FC_SEED=n looks elsewhere.
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20221104) });
