/**
 * Everything about the io_uring interface: opcodes, flags, SQE and CQE layouts, the field view of SQE bytes.
 */
export * from './io_uring_abi';
export * from './io_uring_ops';
export * from './sqe';
export * from './cqe';
export * from './sqe_bytes';
