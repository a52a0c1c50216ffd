/*
 * ublk_later.c - the same driver in later kernels: other names, and ways without a copy
 *
 * Lesson: slot, tag, FETCH and COMMIT stayed. What changed is how the payload gets to the
 * server (four ways without the fixed copy of 6.1) and what keeps the pages alive meanwhile.
 *
 *   6.1    copy          the driver copies at delivery (WRITE) or at COMMIT (READ)
 *   6.5    USER_COPY     the server copies by pread/pwrite on /dev/ublkcN, when it likes
 *   6.15   ZERO_COPY     REGISTER_IO_BUF -> READ_FIXED/WRITE_FIXED -> UNREGISTER_IO_BUF, linked
 *   6.16   AUTO_BUF_REG  the driver registers before the CQE: one backend SQE, no link
 *
 * Compare the splice RFC of 2022 (splice.c): it lent bare pages to a pipe, so nothing but the
 * open request kept them alive. The merged way lends a REFERENCE ON THE REQUEST: a COMMIT that
 * comes too early ends nothing, the request ends when COMMIT is there and the last user is gone.
 *
 * Runs here
 *   client, kblockd    ->queue_rq, ->queue_rqs
 *   daemon task work   delivery
 *   daemon, io-wq      copying and registering; any context for the last release
 *
 * Order that matters
 *   dispatch takes a reference, COMMIT and every user of the buffer drop one: the LAST of them
 *   ends the request, whichever it is. Between slots there is no order, as ever.
 *
 * Kernel: 6.12 to 7.3, as marked. One difference that bites: with USER_COPY, ZERO_COPY and
 * AUTO_BUF_REG a short result is NOT requeued, the whole request ends well. The server has to
 * be trusted; an unprivileged device may not use these flags.
 */

/* ---- 1. client or kblockd ------------------------------------------------------------ */

blk_status_t ublk_prep_req(struct ublk_queue *ubq, struct request *rq)
{
    if (ubq->fail_io)                                               //@ ublk_prep_req
        return BLK_STS_TARGET;          /* USER_RECOVERY_FAIL_IO: an error beats a hang */
    if (ubq->canceling)
        return BLK_STS_RESOURCE;        /* requeue: perhaps a new server comes */
    ublk_setup_iod(ubq, rq);
    blk_mq_start_request(rq);
    return BLK_STS_OK;
}

/* 6.15: a whole plug list in one call, cut where the task or the ring of the slot changes */
void ublk_queue_rqs(struct rq_list *rqs)
{
    struct rq_list batch = { };
    struct request *rq;

    while ((rq = rq_list_pop(rqs))) {                               //@ ublk_queue_rqs
        if (ublk_prep_req(queue_of(rq), rq) != BLK_STS_OK)
            continue;
        if (!rq_list_empty(&batch) && task_of(&batch) != task_of(rq))
            ublk_queue_cmd_list(&batch);        /* one wake-up for the whole list */
        rq_list_add_tail(&batch, rq);
    }
    ublk_queue_cmd_list(&batch);
}

/* ---- 2. daemon task work ------------------------------------------------------------- */

void ublk_cmd_tw_cb(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
    ublk_dispatch_req(queue_of(cmd), rq_of(cmd));                   //@ ublk_cmd_tw_cb
}

void ublk_cmd_list_tw_cb(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
    for_each_in_batch(rq, cmd)                                      //@ ublk_cmd_list_tw_cb
        ublk_dispatch_req(queue_of(cmd), rq);
}

/* what __ublk_rq_task_work was in 6.1 */
void ublk_dispatch_req(struct ublk_queue *ubq, struct request *rq)
{
    if (current != slot_of(rq)->task) {                             //@ ublk_dispatch_req
        __ublk_abort_rq(ubq, rq);
        return;
    }
    if (!ublk_start_io(ubq, rq, slot_of(rq)))
        return;                         /* requeued: the buffer of the server is not there */
    if (ublk_support_auto_buf_reg(ubq) && !ublk_auto_buf_register(rq))
        return;                         /* ended with an error, or flagged for the fallback */
    ublk_complete_io_cmd(slot_of(rq), rq, UBLK_IO_RES_OK);
}

bool ublk_start_io(struct ublk_queue *ubq, struct request *rq, struct ublk_io *io)
{
    unsigned int mapped = ublk_map_io(ubq, rq, io);                 //@ ublk_start_io

    if (!mapped) {
        blk_mq_requeue_request(rq, false);
        return false;
    }
    return true;
}

/* ---- 3. USER_COPY: the server copies for itself -------------------------------------- */

/*
 * Position on /dev/ublkcN: 0x80000000 + (queue << 41 | tag << 25 | offset). Not the encoding of
 * the RFC (queue << 42 | tag << 30), which looks alike and means something else.
 */
ssize_t ublk_user_copy(struct kiocb *iocb, struct iov_iter *iter, int dir)
{
    struct request *rq = ublk_get_req_ref(iocb->ki_pos);            //@ ublk_user_copy
    ssize_t done;

    if (!rq)
        return -EINVAL;                 /* no such tag in flight: the request has ended */
    if (wrong_direction(rq, dir))
        return -EACCES;                 /* reading the pages of a READ would leak old memory */
    done = ublk_copy_user_pages(rq, offset_in_request(iocb->ki_pos), iter, dir);
    ublk_put_req_ref(rq);
    return done;
}

ssize_t ublk_ch_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
    return ublk_user_copy(iocb, to, ITER_DEST);                     //@ ublk_ch_read_iter
}

ssize_t ublk_ch_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
    return ublk_user_copy(iocb, from, ITER_SOURCE);                 //@ ublk_ch_write_iter
}

/* ---- 4. registered buffers: what the mailing list settled on ------------------------- */

/*
 * The bvecs of the request become entry `index` of the ring's buffer table, readable or
 * writable as the request is. No page is referenced: the REQUEST is.
 */
int ublk_register_io_buf(struct io_uring_cmd *cmd, struct ublk_queue *ubq, unsigned int tag,
                         unsigned int index)
{
    struct request *rq = ublk_get_req_ref_by_tag(ubq, tag);

    if (!rq)
        return -EINVAL;
    return io_buffer_register_request(cmd, rq, ublk_io_release, index);
}

/* called by io_uring when the last READ_FIXED or WRITE_FIXED with this buffer is done */
void ublk_io_release(void *priv)
{
    struct request *rq = priv;                                      //@ ublk_io_release

    if (ublk_put_req_ref(rq))           /* was this the last one, COMMIT included? */
        __ublk_complete_rq(rq);
}
