/** Poll events as the kernel's numbers. */

export const EPOLL = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  NVAL: 0x20,
  RDNORM: 0x40,
  WRNORM: 0x100,
  RDHUP: 0x2000,
  ONESHOT: 0x40000000,
  ET: 0x80000000,
} as const;
