import { REQ_OP } from '../uapi/block';
import { UBLK_IO_F, UBLK_IO_OP } from '../uapi/ublk_abi';

/** Descriptor operation and flags of a request (ublk_setup_iod and ublk_req_build_flags). */
export function descriptorFlags(opf: number): number {
  const op = opf & 0xff;
  let flags = 0;
  if (opf & (1 << 8)) flags |= UBLK_IO_F.FAILFAST_DEV;
  if (opf & (1 << 9)) flags |= UBLK_IO_F.FAILFAST_TRANSPORT;
  if (opf & (1 << 10)) flags |= UBLK_IO_F.FAILFAST_DRIVER;
  if (opf & (1 << 12)) flags |= UBLK_IO_F.META;
  if (opf & (1 << 17)) flags |= UBLK_IO_F.FUA;
  if (opf & NOUNMAP) flags |= UBLK_IO_F.NOUNMAP;
  switch (op) {
    case REQ_OP.READ:
      return flags | UBLK_IO_OP.READ;
    case REQ_OP.WRITE:
      return flags | UBLK_IO_OP.WRITE;
    case REQ_OP.FLUSH:
      return flags | UBLK_IO_OP.FLUSH;
    case REQ_OP.DISCARD:
      return flags | UBLK_IO_OP.DISCARD;
    default:
      return flags | UBLK_IO_OP.WRITE_ZEROES;
  }
}

/** REQ_NOUNMAP of 6.1. */
export const NOUNMAP = 1 << 27;
