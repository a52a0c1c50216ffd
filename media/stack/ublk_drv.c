/*
 * ublk_drv.c - the driver: a block request goes to user space and comes back
 *
 * Lesson: ublk never copies a request, it lends a SLOT. Slot = (queue, tag). The server keeps
 * one io_uring command parked in every slot. A request that gets tag t completes the command
 * parked in slot t, and that CQE is the only message; what to do stands in shared memory, in
 * descriptor t. The answer is the next command for the same slot: COMMIT_AND_FETCH means
 * "here is the result of the old request, and I wait for the next one".
 *
 *        FETCH accepted                 request delivered (CQE)
 *   0 ------------------> ACTIVE -------------------------------> OWNED_BY_SRV
 *                            ^                                         |
 *                            |         COMMIT_AND_FETCH accepted       |
 *                            +-----------------------------------------+
 *
 *   ACTIVE        0x01        a command waits here; the next request of this tag completes it
 *   OWNED_BY_SRV  0x02        the server works on the request of this tag
 *   ABORTED       0x04        the server died while it owned the request
 *   NEED_GET_DATA 0x08        the server was asked for a buffer, the data is not copied yet
 *   CANCELED      1 << 31     the parked command was answered with -ENODEV, never re-arm
 *
 * Runs here
 *   client, kblockd    ->queue_rq: fills the descriptor, queues the request, kicks the daemon
 *   daemon task work   delivers: only the daemon's own thread may touch its memory and its ring
 *   daemon             io_uring_enter: FETCH, COMMIT_AND_FETCH, NEED_GET_DATA
 *   kworker            the monitor that notices a dead server
 *
 * Locks and order
 *   io_cmds      lock-less list from any CPU to the one daemon: order of arrival is kept
 *   ub->mutex    control path only; the data path takes no lock: a slot has one owner at a time
 *   Per slot: arm < start <= deliver < commit = arm, strictly in turns. Across slots: nothing.
 *
 * Kernel: 6.1 with or without the RFC of Nov 2022 (UBLK_F_SPLICE_ZC). Control commands and the
 * end of a device: ublk_ctrl.c. What later kernels renamed or added: ublk_later.c.
 */

struct ublk_io {
    u64                  addr;      /* buffer of the server, from the last command of this slot */
    unsigned int         flags;
    int                  res;       /* result that was committed */
    struct io_uring_cmd *cmd;       /* the parked command */
};

/* ---- 1. client or kblockd: a request arrives ----------------------------------------- */

blk_status_t ublk_queue_rq(struct blk_mq_hw_ctx *hctx, struct request *rq, bool last)
{
    struct ublk_queue *ubq = hctx->driver_data;

    /*
     * The descriptor is written BEFORE anything wakes the server: op and flags, sectors, and
     * the address that the server named for this tag. It is indexed by tag, so no two
     * requests in flight ever share one.
     */
    ublk_setup_iod(ubq, rq);                                        //@ ublk_queue_rq
    atomic_set(&ublk_pdu(rq)->handled, 0);          /* RFC: nothing spliced in this delivery */
    blk_mq_start_request(rq);

    if (ubq_daemon_is_dying(ubq)) {
        __ublk_abort_rq(ubq, rq);                   /* nobody is there to take it */
        return BLK_STS_OK;
    }
    ublk_queue_cmd(ubq, rq);
    return BLK_STS_OK;
}

void ublk_queue_cmd(struct ublk_queue *ubq, struct request *rq)
{
    /*
     * Only the request that finds the list EMPTY kicks the daemon. The others ride along:
     * one wake-up may deliver a dozen requests. The command used for the kick is the one of
     * the first request, which says nothing about who is served.
     */
    bool first = llist_add(&ublk_pdu(rq)->node, &ubq->io_cmds);     //@ ublk_queue_cmd

    if (!first)
        return;
    if (IS_MODULE(UBLK) || ubq->flags & UBLK_F_URING_CMD_COMP_IN_TASK)
        io_uring_cmd_complete_in_task(ubq->ios[rq->tag].cmd, ublk_rq_task_work_cb);
    else
        task_work_add(ubq->ubq_daemon, &ubq->work, TWA_SIGNAL_NO_IPI);
}

/* ---- 2. daemon task work: deliver ---------------------------------------------------- */

/*
 * Why not deliver right in ->queue_rq? Because copying needs the memory map of the server, and
 * because the ring belongs to its thread. So the thread does it itself: on its way into
 * io_uring_enter, while it waits there, or on its way out.
 */
void ublk_rq_task_work_cb(struct io_uring_cmd *cmd)
{
    struct ublk_queue *ubq = queue_of_cmd(cmd);
    struct llist_node *all = llist_del_all(&ubq->io_cmds);          //@ ublk_rq_task_work_cb

    all = llist_reverse_order(all);             /* a lock-less list is a stack; make it FIFO */
    for_each(rq, all)
        __ublk_rq_task_work(rq, IO_URING_F_UNLOCKED);
}

void __ublk_rq_task_work(struct request *rq, unsigned int issue_flags)
{
    struct ublk_queue *ubq = queue_of_rq(rq);
    struct ublk_io *io = &ubq->ios[rq->tag];
    unsigned int mapped;

    if (current != ubq->ubq_daemon || current->flags & PF_EXITING) {
        __ublk_abort_rq(ubq, rq);               /* a fallback worker runs us: the server dies */
        return;
    }
    mark_delivery(rq);                                              //@ ublk_rq_task_work

    if (ublk_need_get_data(ubq) && is_write_or_flush(rq)) {
        if (!(io->flags & UBLK_IO_FLAG_NEED_GET_DATA)) {
            /* first round: "give me a buffer for this WRITE" - a CQE with res 1, no data */
            io->flags |= UBLK_IO_FLAG_NEED_GET_DATA;
            ubq_complete_io_cmd(io, UBLK_IO_RES_NEED_GET_DATA);
            return;
        }
        io->flags &= ~UBLK_IO_FLAG_NEED_GET_DATA;       /* second round: the buffer is here */
        iod(ubq, rq->tag)->addr = io->addr;
    }

    mapped = ublk_map_io(ubq, rq, io);
    if (mapped == 0) {
        /* the buffer could not be pinned at all: try again in 3 ms. No CQE, slot stays ACTIVE */
        blk_mq_requeue_request(rq, false);
        blk_mq_delay_kick_requeue_list(rq->q, 3);
        return;
    }
    if (mapped != blk_rq_bytes(rq))
        iod(ubq, rq->tag)->nr_sectors = mapped >> 9;    /* the server sees a shorter request */
    ubq_complete_io_cmd(io, UBLK_IO_RES_OK);
}

void ubq_complete_io_cmd(struct ublk_io *io, int res)
{
    /* flags first: the server may answer before io_uring_cmd_done() has returned */
    io->flags |= UBLK_IO_FLAG_OWNED_BY_SRV;
    io->flags &= ~UBLK_IO_FLAG_ACTIVE;
    io_uring_cmd_done(io->cmd, res);            /* io_uring.c: the CQE, user_data of that FETCH */
}

/* ---- 3. the one copy of copy mode ---------------------------------------------------- */

/*
 *              copy mode                               -z (UBLK_F_SPLICE_ZC)
 *   WRITE      request pages -> server buffer, here    nothing: SPLICE lends the pages
 *   READ       server buffer -> request pages, at      nothing: the backing file has already
 *              COMMIT (ublk_unmap_io)                  read into the pages of the request
 */
int ublk_map_io(struct ublk_queue *ubq, struct request *rq, struct ublk_io *io)
{
    int mapped = blk_rq_bytes(rq);                                  //@ ublk_map_io

    if (!ublk_splice_zc(ubq) && req_op(rq) == REQ_OP_WRITE)
        mapped = ublk_copy_user_pages(rq, io->addr, mapped, true);
    return mapped;                                                  //@ ublk_map_io_ret
}

int ublk_unmap_io(struct ublk_queue *ubq, struct request *rq, struct ublk_io *io)
{
    int done = blk_rq_bytes(rq);                                    //@ ublk_unmap_io

    if (!ublk_splice_zc(ubq) && req_op(rq) == REQ_OP_READ) {
        done = ublk_copy_user_pages(rq, io->addr, io->res, false);
        page_fill(rq, 0, done, "server-buffer");        /* files.c: a fact */
    }
    return done;                                                    //@ ublk_unmap_io_ret
}

/*
 * Always the daemon thread, in kernel mode. Pages of the SERVER are pinned, at most 32 at a
 * time and only for the memcpy. Pages of the request need no reference: their owner sleeps in
 * its read or write until the request ends.
 */
int ublk_copy_user_pages(struct request *rq, u64 addr, unsigned int len, bool to_server)
{
    unsigned int done = 0;                                          //@ ublk_copy_user_pages
    struct page *pages[32];

    while (done < len) {
        /* the compiler may cut an unused argument off and name the rest "....isra.0" */
        int n = get_user_pages_fast(addr + done, 32, pages);        //@ ublk_copy_user_pages_isra_0

        if (n <= 0)
            break;                      /* the server unmapped its buffer: a short count */
        done += copy_both_ways(rq, done, pages, n, to_server);
        put_pages(pages, n);
    }
    return done;
}

/* ---- 4. daemon, inside io_uring_enter: commands of the server ------------------------ */

int ublk_ch_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
    const struct ublksrv_io_cmd *ub_cmd = cmd->cmd;     /* SQE byte 48: q_id, tag, result, addr */
    int ret = __ublk_ch_uring_cmd(cmd, ub_cmd);                     //@ ublk_ch_uring_cmd

    if (ret)
        io_uring_cmd_done(cmd, ret);    /* 6.1: a refusal is an ordinary CQE, too */

    /*
     * -529: "the command stays with me". No CQE now. It comes when a request gets this tag,
     * which may be in a microsecond or never.
     */
    return -EIOCBQUEUED;                                            //@ ublk_ch_uring_cmd_ret
}

int __ublk_ch_uring_cmd(struct io_uring_cmd *cmd, const struct ublksrv_io_cmd *c)
{
    struct ublk_queue *ubq = queue(c->q_id);            /* out of range: -EINVAL */
    struct ublk_io *io = &ubq->ios[c->tag];             /* likewise */

    if (ubq->ubq_daemon && ubq->ubq_daemon != current)
        return -EINVAL;                 /* one queue, one thread, for all of its life */
    if (io->flags & UBLK_IO_FLAG_ACTIVE)
        return -EBUSY;                  /* a command is parked here already: second COMMIT? */
    if (!!(io->flags & UBLK_IO_FLAG_NEED_GET_DATA) != (c->op == UBLK_IO_NEED_GET_DATA))
        return -EINVAL;

    switch (c->op) {
    case UBLK_IO_FETCH_REQ:                                         /* 0x20, first time only */
        if (ublk_queue_ready(ubq))
            return -EBUSY;
        park(io, cmd, c->addr);                                     /* 0 -> ACTIVE */
        ublk_mark_io_ready(ubq);
        return 0;

    case UBLK_IO_COMMIT_AND_FETCH_REQ:                              /* 0x21 */
        if (!(io->flags & UBLK_IO_FLAG_OWNED_BY_SRV))
            return -EINVAL;             /* nothing was delivered: nothing to commit */
        park(io, cmd, c->addr);                                     /* OWNED -> ACTIVE */
        ublk_commit_completion(ubq, c);
        return 0;

    case UBLK_IO_NEED_GET_DATA:                                     /* 0x22, WRITE only */
        if (!(io->flags & UBLK_IO_FLAG_OWNED_BY_SRV))
            return -EINVAL;
        park(io, cmd, c->addr);
        ublk_queue_cmd(ubq, rq_of_slot(ubq, c->tag));   /* deliver once more, now with copy */
        return 0;
    }
    return -EINVAL;
}

void ublk_mark_io_ready(struct ublk_queue *ubq)
{
    ubq->nr_io_ready++;                                             //@ ublk_mark_io_ready
    if (ublk_queue_ready(ubq))
        ubq->ubq_daemon = current;      /* whoever armed the LAST slot is the daemon */
    if (all_queues_ready(ubq->dev))
        complete(&ubq->dev->completion);        /* START_DEV waits for this */
}

void ublk_commit_completion(struct ublk_queue *ubq, const struct ublksrv_io_cmd *c)
{
    struct ublk_io *io = &ubq->ios[c->tag];

    /*
     * The slot is ACTIVE again before the request ends. It has to be: ending the request frees
     * the tag, and the next request may have it before this function returns.
     */
    io->flags &= ~UBLK_IO_FLAG_OWNED_BY_SRV;                        //@ ublk_commit_completion
    io->res = c->result;
    ublk_complete_rq(rq_of_slot(ubq, c->tag));
}

/* still the daemon, still inside its own io_uring_enter */
void ublk_complete_rq(struct request *rq)
{
    struct ublk_queue *ubq = queue_of_rq(rq);                       //@ ublk_complete_rq
    struct ublk_io *io = &ubq->ios[rq->tag];
    unsigned int done;

    if (!io->res && req_op(rq) == REQ_OP_READ)
        io->res = -EIO;                 /* a READ that moved nothing would loop for ever */
    if (io->res < 0) {
        blk_mq_end_request(rq, errno_to_blk_status(io->res));
        return;
    }
    if (!rq_has_data(rq)) {             /* FLUSH, DISCARD, WRITE_ZEROES */
        blk_mq_end_request(rq, BLK_STS_OK);
        return;
    }

    /*
     * The driver BELIEVES the result. With -z nobody checks that the pages were really filled:
     * a server that commits more than it read shows old memory to the client.
     */
    done = min(ublk_unmap_io(ubq, rq, io), io->res);
    if (req_op(rq) == REQ_OP_READ)
        page_expose(rq, done);                  /* files.c: a fact */
    if (blk_update_request(rq, BLK_STS_OK, done))
        blk_mq_requeue_request(rq, true);       /* short: the rest comes as a new delivery */
    else
        __blk_mq_end_request(rq, BLK_STS_OK);   /* client woken, tag freed: right here */
}
