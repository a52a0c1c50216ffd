/*
 * ublksrv.c - the server in user space: one thread, one ring and one loop per queue
 *
 * Lesson: the server has no queue of requests of its own. It keeps one command per tag parked in
 * the driver. A CQE says "there is work in slot t"; t is in user_data; the work itself stands in
 * the descriptor array that the kernel shares with it. When done it queues COMMIT_AND_FETCH for
 * the same tag, and that is submitted by the next io_uring_enter, together with all the others.
 *
 *   one request, loop target           copy mode             -z
 *   CQE of the parked command          res 0                 res 0
 *   backend SQE                        READ or WRITE         SPLICE (io-wq, see splice.c)
 *   backend CQE by                     task work             the worker
 *   COMMIT_AND_FETCH                   copies a READ back    copies nothing
 *   SQEs and CQEs in all               2 and 2               2 and 2
 *
 * user_data (64 bits: JavaScript needs BigInt)
 *   bits 0-15    tag
 *   bits 16-23   command number (0x20, 0x21, 0x22), or the ublk operation for backend I/O
 *   bits 24-39   target data
 *   bit 63       1 = backend I/O, 0 = ublk command
 *   so 0x200005 = FETCH of tag 5, 0x210005 = COMMIT, 0x8000000000000005 = loop READ of tag 5
 *
 * Order: why not "the n-th CQE is tag n"? Tags are handed out by blk-mq, requests finish in any
 * order, the server reaps in batches. The k-th CQE of ONE slot answers the k-th command of that
 * slot; between slots there is no order.
 *
 * Runs here
 *   daemon    the queue thread; the SAME thread must submit every command (the kernel checks)
 *   control   `ublk add`, `ublk del`: another process, with a ring of its own
 *
 * Version: ublksrv of 4 Nov 2022 (the day of the mail that started it all) in plain C; the
 * original is C++ with one coroutine per tag. Defaults then: 1 queue, depth 256, 512 KiB.
 */

#define NEED_FETCH_RQ        1
#define NEED_COMMIT_RQ_COMP  2
#define IO_FREE              4      /* no command of this slot is with the kernel */
#define NEED_GET_DATA        8

/* ---- 1. liburing: the application's side of the rings -------------------------------- */

struct io_uring_sqe *io_uring_get_sqe(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = &ring->sqes[ring->sqe_tail++ & ring->mask];

    /*
     * Memory only: the kernel knows nothing of it until io_uring_enter. The event shows the
     * bytes once they are filled in.
     */
    return sqe;                                                     //@ io_uring_get_sqe
}

void io_uring_cq_advance(struct io_uring *ring, unsigned int nr)
{
    /* store-release: the kernel may reuse these slots from now on */
    store_release(ring->cq_head, *ring->cq_head + nr);              //@ io_uring_cq_advance
}

/* ---- 2. start of a queue thread ------------------------------------------------------ */

int ublksrv_queue_init(struct ublksrv_queue *q)
{
    q->descs = mmap(q->ublkc_fd, PROT_READ, queue_offset(q->id));      /* read-only, or EPERM */
    io_uring_queue_init(2 * q->depth, &q->ring, SQE128 | COOP_TASKRUN | CQSIZE);
    io_uring_register_files(&q->ring, { q->ublkc_fd, q->backing_fd });

    for (int tag = 0; tag < q->depth; tag++) {
        q->ios[tag].buf = aligned_alloc(PAGE_SIZE, q->max_io_buf_bytes);
        q->ios[tag].flags = NEED_FETCH_RQ | IO_FREE;
        ublksrv_queue_io_cmd(q, tag);           /* one FETCH per tag: START_DEV waits for all */
    }
    return 0;
}

/* ---- 3. the loop --------------------------------------------------------------------- */

int ublksrv_process_io(struct ublksrv_queue *q)
{
    int ret, reaped;

    if (q->stopping && !q->cmd_inflight && !q->tgt_io_inflight)
        return -ENODEV;                         /* the last command is back: leave */

    /*
     * ONE system call per round: it submits what the last round queued and sleeps until there
     * is a CQE. Requests of ublk are delivered inside this very call, as task work.
     */
    ret = io_uring_submit_and_wait_timeout(&q->ring, 1, 20 * SECONDS);

    reaped = 0;
    io_uring_for_each_cqe(&q->ring, cqe) {      /* in CQ order, which is no order of I/O */
        ublksrv_handle_cqe(q, cqe);
        reaped++;
    }
    io_uring_cq_advance(&q->ring, reaped);      /* once per batch: no slot is freed before */

    if (ret == -ETIME && !reaped)
        enter_idle(q);                          /* gives the pages of the buffers back */
    return reaped;
}

void ublksrv_handle_cqe(struct ublksrv_queue *q, struct io_uring_cqe *cqe)
{
    unsigned int tag = cqe->user_data & 0xffff;

    if (cqe->user_data >> 63) {                 /* backend I/O of this tag */
        q->tgt_io_inflight--;
        tgt_io_done(q, tag, cqe->res);
        return;
    }

    q->cmd_inflight--;
    switch (cqe->res) {
    case UBLK_IO_RES_OK:                        /* a request is in descriptor `tag` */
        handle_io_async(q, tag);
        break;
    case UBLK_IO_RES_NEED_GET_DATA:             /* a WRITE wants a buffer first */
        q->ios[tag].flags |= NEED_GET_DATA | IO_FREE;
        ublksrv_queue_io_cmd(q, tag);
        break;
    default:                                    /* -ENODEV: the device goes away */
        q->ios[tag].flags = IO_FREE;            /* never arm this slot again */
        q->stopping |= cqe->res == UBLK_IO_RES_ABORT;
    }
}

void ublksrv_queue_io_cmd(struct ublksrv_queue *q, unsigned int tag)
{
    struct ublk_io *io = &q->ios[tag];
    struct io_uring_sqe *sqe;
    int op;

    if (!(io->flags & IO_FREE))
        return;
    op = io->flags & NEED_GET_DATA       ? UBLK_IO_NEED_GET_DATA
       : io->flags & NEED_COMMIT_RQ_COMP ? UBLK_IO_COMMIT_AND_FETCH_REQ
                                         : UBLK_IO_FETCH_REQ;
    io->flags = 0;

    sqe = io_uring_get_sqe(&q->ring);
    prep_uring_cmd(sqe, FIXED_FILE, 0, op);     /* file 0 = /dev/ublkcN */
    fill_cmd(sqe, q->id, tag, io->result, io->buf);
    sqe->user_data = tag | op << 16;
    q->cmd_inflight++;
}

/* ---- 4. target null: nothing to do --------------------------------------------------- */

void null_handle_io_async(struct ublksrv_queue *q, unsigned int tag)
{
    /* no backend SQE: the cost of ublk itself, which is what people measure with it */
    ublksrv_complete_io(q, tag, q->descs[tag].nr_sectors << 9);
}

/* ---- 5. target loop: a file ---------------------------------------------------------- */

void handle_io_async(struct ublksrv_queue *q, unsigned int tag)
{
    const struct ublksrv_io_desc *iod = &q->descs[tag];
    struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
    unsigned int len = iod->nr_sectors << 9;
    u64 off = iod->start_sector << 9;

    switch (iod->op_flags & 0xff) {
    case UBLK_IO_OP_READ:
        if (q->splice_zc)
            prep_splice(sqe, 1, off, q->ublkc_fd, ublk_pos(q->id, tag, 0), len, 0x30);
        else
            prep_read(sqe, 1, iod->addr, len, off);     /* addr = this tag's own buffer */
        break;
    case UBLK_IO_OP_WRITE:
        if (q->splice_zc)
            prep_splice(sqe, 1, off, q->ublkc_fd, ublk_pos(q->id, tag, 0), len, 0x10);
        else
            prep_write(sqe, 1, iod->addr, len, off);    /* the driver has filled it already */
        break;
    case UBLK_IO_OP_FLUSH:
        /* DATASYNC = 1 means WAIT_BEFORE to this operation: it flushes nothing (a real bug) */
        prep_sync_file_range(sqe, q->backing_fd, len, 1);
        break;
    case UBLK_IO_OP_DISCARD:
    case UBLK_IO_OP_WRITE_ZEROES:
        prep_fallocate(sqe, q->backing_fd, PUNCH_HOLE | KEEP_SIZE, off, len);
        break;
    }
    sqe->user_data = tag | (iod->op_flags & 0xff) << 16 | 1ULL << 63;
    q->tgt_io_inflight++;                       /* the coroutine of this tag is suspended here */
}

void tgt_io_done(struct ublksrv_queue *q, unsigned int tag, int res)
{
    if (res == -EAGAIN) {
        handle_io_async(q, tag);                /* once more; with -z the RFC then says -EACCES */
        return;
    }
    ublksrv_complete_io(q, tag, res);           /* bytes or -errno, as the backend gave it */
}

void ublksrv_complete_io(struct ublksrv_queue *q, unsigned int tag, int res)
{
    q->ios[tag].result = res;
    q->ios[tag].flags |= NEED_COMMIT_RQ_COMP | IO_FREE;
    ublksrv_queue_io_cmd(q, tag);               /* goes out with the next round's enter */
}
