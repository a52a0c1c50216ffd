/** Everything about the ublk interface: commands, flags, states, limits, struct layouts. */
export * from './ublk_abi';
export * from './ublk_cmds';
export * from './ublk_structs';
export * from './ublk_params';
