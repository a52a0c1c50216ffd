/*
 * io_uring.c - the rings: how an SQE becomes a request, and a result becomes a CQE
 *
 * Lesson: two rings in memory that both sides see. The application writes SQEs and moves
 * sq.tail, the kernel reads them and moves sq.head; the kernel writes CQEs and moves cq.tail,
 * the application reads them and moves cq.head. user_data travels from the SQE to its CQE
 * unchanged. It is the ONLY link between the two, because CQEs come in any order.
 *
 * Where a CQE can come from
 *   inline       done within the submitting call: all of a batch appear together, at its end
 *   task work    an interrupt or a driver asked the submitting task to finish the request
 *   io-wq        a worker thread did it, blocking, and posts the CQE by itself
 *
 * Runs here
 *   daemon       the ublk server: one ring per queue, FETCH/COMMIT and backend I/O mixed
 *   task work    the same thread, on its way into or out of the kernel or while it waits
 *   io-wq        workers of that thread (io-wq.c)
 *   control, client   their own rings
 *
 * Locks and order
 *   uring_lock       submission, and DEFER_TASKRUN completion
 *   completion_lock  posting a CQE: a worker and the task may both post
 *   cq.tail is published (store-release) AFTER the CQE is written; sq.head moves after the
 *   whole batch was read, so the memory of an SQE is free when io_uring_enter returns.
 *
 * What IS ordered: first issue in SQ order; the members of a link; a drain; overflowed CQEs.
 * Nothing else. In particular not CQE order against tag order, and not completion of
 * independent requests.
 *
 * Kernel: 6.1. submit_sqe is called submit_req since 6.4; DEFER_TASKRUN exists since 6.1.
 */

/* ---- 1. setting up ------------------------------------------------------------------- */

long io_uring_setup(u32 entries, struct io_uring_params *p)
{
    long fd;

    check_flags(p->flags);                                          //@ sys_enter_io_uring_setup
    fd = io_uring_create(entries, p);
    return fd;                                                      //@ sys_exit_io_uring_setup
}

long io_uring_create(u32 entries, struct io_uring_params *p)
{
    /*
     * Sizes are rounded up to powers of two. CQ = 2 x SQ, unless CQSIZE. ublksrv of 2022:
     * SQE128 | COOP_TASKRUN | CQSIZE = 0x508, twice as many entries as tags: a command and a
     * backend SQE may be queued for each tag in the same round.
     */
    p->sq_entries = roundup_pow_of_two(entries);
    p->cq_entries = p->flags & IORING_SETUP_CQSIZE ? roundup_pow_of_two(p->cq_entries)
                                                   : 2 * p->sq_entries;
    return install_fd(allocate_rings(p));                           //@ io_uring_create
}

long io_uring_register(unsigned int fd, unsigned int opcode, void *arg, unsigned int nr_args)
{
    struct io_ring_ctx *ctx = ring_of(fd);
    long ret;

    lock(&ctx->uring_lock);                                         //@ sys_enter_io_uring_register
    ret = __io_uring_register(ctx, opcode, arg, nr_args);
    unlock(&ctx->uring_lock);
    note_tables(ctx, opcode, ret);                                  //@ io_uring_register

    /* ublksrv: index 0 = /dev/ublkcN, index 1 = the backing file. Saves a lookup per SQE. */
    return ret;                                                     //@ sys_exit_io_uring_register
}

/* ---- 2. one call does both: submit, and wait ----------------------------------------- */

long io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags, void *argp)
{
    struct io_ring_ctx *ctx = ring_of(fd);
    long ret = 0;

    io_run_task_work();                                             //@ sys_enter_io_uring_enter
    if (to_submit)
        ret = io_submit_sqes(ctx, to_submit);
    if (flags & IORING_ENTER_GETEVENTS && ret == to_submit) {
        int waited = io_cqring_wait(ctx, min_complete, argp);

        if (!ret)
            ret = waited;               /* something was submitted: that count wins */
    }
    return ret;                                                     //@ sys_exit_io_uring_enter
}

/* ---- 3. submission ------------------------------------------------------------------- */

int io_submit_sqes(struct io_ring_ctx *ctx, u32 nr)
{
    struct io_submit_state *state = &ctx->submit_state;
    u32 left = min3(nr, ctx->sq_entries, sq_tail(ctx) - ctx->cached_sq_head);
    u32 done = 0;

    if (left > 2)
        blk_start_plug(&state->plug);           /* bios of the batch go down together */
    while (done < left) {
        struct io_kiocb *req = io_alloc_req(ctx);

        done++;
        if (io_submit_sqe(ctx, req, io_get_sqe(ctx)) && !(ctx->flags & IORING_SETUP_SUBMIT_ALL))
            break;                              /* a malformed SQE stops the batch */
    }
    blk_finish_plug(&state->plug);
    __io_submit_flush_completions(ctx);         /* CQEs of everything that was done inline */
    publish_sq_head(ctx);
    return done;
}

int io_submit_sqe(struct io_ring_ctx *ctx, struct io_kiocb *req, const struct io_uring_sqe *sqe)
{
    struct io_submit_state *state = &ctx->submit_state;
    int ret = io_init_req(ctx, req, sqe);       /* copies opcode, flags, user_data; op prep */

    if (ret)
        return io_submit_fail_init(req, sqe, ret);

    /* the SQE is read and checked; its slot in the ring is not needed any more */
    if (KERNEL_VERSION >= 6.4)
        note_request(req);                                          //@ io_uring_submit_req
    else
        note_request(req);                                          //@ io_uring_submit_sqe

    /*
     * LINK speaks about the NEXT sqe. Nothing of a chain starts before the chain is complete,
     * then only its head does. A chain never reaches beyond one submit call.
     */
    if (link_is_open(state)) {
        append_to_chain(state, req);                                //@ io_uring_link
        if (req->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK))
            return 0;
        req = take_head(state);
    } else if (req->flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)) {
        open_chain(state, req);         /* a head: it waits for its successors */
        return 0;
    }
    if (req->flags & IOSQE_IO_DRAIN || ctx->drain_active)
        io_drain_req(req);
    else
        io_queue_sqe(req);
    return 0;
}

int io_submit_fail_init(struct io_kiocb *req, const struct io_uring_sqe *sqe, int error)
{
    fail_whole_chain(req);                                          //@ io_uring_req_failed
    io_req_complete_defer(req, error);          /* the error is an ordinary CQE */
    return error;
}

void io_drain_req(struct io_kiocb *req)
{
    /*
     * Waits until every EARLIER request has its CQE. On a ublk ring that is never: a parked
     * FETCH completes only when a request arrives. A drain there is practically a deadlock.
     */
    list_add_tail(&req->list, &req->ctx->defer_list);               //@ io_uring_defer
}

/* the nonblocking attempt, in the task that submits */
void io_queue_sqe(struct io_kiocb *req)
{
    int ret = io_issue_sqe(req, IO_URING_F_NONBLOCK);

    if (ret == 0)
        io_req_complete_defer(req, req->cqe.res);       /* done: CQE at the end of the batch */
    else if (ret == -EIOCBQUEUED)
        return;                         /* a disk or a driver has it and will come back to us */
    else if (ret == -EAGAIN && !io_arm_poll_handler(req))
        io_queue_iowq(req);             /* SPLICE always ends here: io-wq.c */
    else if (ret < 0)
        io_req_complete_failed(req, ret);
}

struct file *io_file_get_normal(struct io_kiocb *req, int fd)
{
    /* only for plain descriptor numbers; a FIXED_FILE needs no lookup and prints nothing */
    return fget(fd);                                                //@ io_uring_file_get
}

bool io_arm_poll_handler(struct io_kiocb *req)
{
    if (!op_can_poll(req->opcode) || !file_can_poll(req->file))
        return false;                   /* regular files, and SPLICE whatever its files are */
    return add_to_wait_queue(req);                                  //@ io_uring_poll_arm
}

void __io_poll_execute(struct io_kiocb *req, int mask)
{
    /* any context: somebody woke the file. The retry itself runs as task work. */
    io_req_task_work_add(req);                                      //@ io_uring_task_add
}

/* ---- 4. driver commands (URING_CMD) -------------------------------------------------- */

/*
 * The way of ublk. The handler said -EIOCBQUEUED, kept `cmd`, and calls this much later from
 * any context: "here is your result". Exactly one CQE per command.
 */
void io_uring_cmd_done(struct io_uring_cmd *cmd, s32 ret, unsigned int issue_flags)
{
    struct io_kiocb *req = cmd_to_req(cmd);                         //@ io_uring_cmd_done

    if (ret < 0)
        req_set_fail(req);              /* breaks a soft link; NEED_GET_DATA = 1 does not */
    io_req_complete_post(req, ret);     /* 6.1: posted at once, before batched inline ones */
}

/* ---- 5. task work: the task finishes what others began ------------------------------- */

void tctx_task_work(struct callback_head *cb)
{
    struct io_uring_task *tctx = current->io_uring;
    unsigned int count = run_all(&tctx->task_list);

    /* COOP_TASKRUN: no interrupt is sent for this, it waits until the task enters the kernel */
    note_run(tctx, count);                                          //@ io_uring_task_work_run
}

int __io_run_local_work(struct io_ring_ctx *ctx)
{
    /* DEFER_TASKRUN: only inside io_uring_enter with GETEVENTS, only the submitter */
    int count = run_all(&ctx->work_llist);

    return count;                                                   //@ io_uring_local_work_run
}

void io_req_task_submit(struct io_kiocb *req)
{
    /* the next member of a chain: its predecessor's CQE is filled already */
    io_queue_sqe(req);                                              //@ io_req_task_submit
}

void io_fail_links(struct io_kiocb *req)
{
    /*
     * What breaks a chain: READ, WRITE and SPLICE when res != length, so SHORT counts, too;
     * URING_CMD when res < 0. Never FSYNC: a failed fsync lets its successor run.
     */
    for (struct io_kiocb *link = req->link; link; link = link->link)
        complete_cancelled(link, -ECANCELED);                       //@ io_uring_fail_link
}

/* ---- 6. the CQE ---------------------------------------------------------------------- */

void io_req_complete_post(struct io_kiocb *req, s32 res)
{
    struct io_ring_ctx *ctx = req->ctx;

    spin_lock(&ctx->completion_lock);
    if (!__io_fill_cqe_req(ctx, req, res))
        io_cqring_event_overflow(ctx, req->user_data, res);
    publish_cq_tail(ctx);               /* store-release: now the application can see it */
    spin_unlock(&ctx->completion_lock);
    wake_waiter(ctx);                   /* wakes it when cq.tail - cq.head is large enough */
    start_next_of_chain(req);           /* after the CQE: so the CQEs of a chain are in order */
}

bool __io_fill_cqe_req(struct io_ring_ctx *ctx, struct io_kiocb *req, s32 res)
{
    struct io_uring_cqe *cqe = io_get_cqe(ctx);         /* NULL: the CQ is full */

    if (!cqe)
        return false;
    fill(cqe, req->user_data, res, req->cqe.flags);                 //@ io_uring_complete
    return true;
}

void io_cqring_event_overflow(struct io_ring_ctx *ctx, u64 user_data, s32 res)
{
    /*
     * Not lost: it waits in a list of the kernel, and everything after it queues up behind, so
     * the order stays. The list is flushed when the application enters with GETEVENTS.
     */
    list_add_tail(new_node(user_data, res), &ctx->cq_overflow_list);  //@ io_uring_cqe_overflow
    set_sq_flag(ctx, IORING_SQ_CQ_OVERFLOW);
}

/* ---- 7. waiting ---------------------------------------------------------------------- */

int io_cqring_wait(struct io_ring_ctx *ctx, u32 min_events, struct timespec *ts)
{
    io_run_task_work();
    flush_overflow(ctx);
    if (cqes_ready(ctx) >= min_events)
        return 0;                       /* no sleep, and no event of it either */

    note_sleep(ctx, min_events);                                    //@ io_uring_cqring_wait
    while (cqes_ready(ctx) < min_events) {
        if (schedule_until(ts))
            return -ETIME;              /* ublksrv: 20 s without work, the queue is idle */
        io_run_task_work();             /* deliveries of ublk happen HERE, in the sleeper */
    }
    return 0;
}
