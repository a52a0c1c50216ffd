/*
 * fuse.c - the same problem in a file system: FUSE over io_uring
 *
 * Lesson: FUSE asked the same question as ublk ("how does a CQE find its request?") and had to
 * answer it without blk-mq. A block driver gets a unique tag with every request. FUSE gets a
 * system call and nothing else, so it needs what blk-mq has: a list of free entries, and a queue
 * for requests that find none. A counter modulo depth is NOT enough: after `depth` requests it
 * points at an entry whose request may still be in user space, since requests finish in any order.
 *
 *   ublk     tag from the bitmap     ->  slot = tag, no lookup, always free when the tag is
 *   FUSE     entry from a free list  ->  commit_id names the request, checked at COMMIT
 *
 * Runs here
 *   client             the task in read(2) on the mounted file: it sends and sleeps
 *   daemon task work   copies headers (and WRITE data) into the entry's buffers, posts the CQE
 *   daemon             COMMIT_AND_FETCH: reply copied, client woken; and if another request
 *                      waits, this very command is answered with it in the same call
 *
 * Locks: queue->lock per CPU; a request goes to the queue of the CPU its task runs on.
 *
 * Kernel: 6.14 and later. The RFC of 2023 still had tags, the merged version has none.
 */

void fuse_send_one(struct fuse_iqueue *fiq, struct fuse_req *req)
{
    req->in.unique = next_unique(fiq);                              //@ fuse_request_send
    if (fuse_uring_ready(req->fc))
        fuse_uring_queue_fuse_req(fiq, req);
    else
        queue_for_dev_fuse(fiq, req);           /* read(2) on /dev/fuse, as ever */
}

void fuse_uring_queue_fuse_req(struct fuse_iqueue *fiq, struct fuse_req *req)
{
    struct fuse_ring_queue *queue = queue_of_cpu(raw_smp_processor_id());
    struct fuse_ring_ent *ent;

    spin_lock(&queue->lock);
    ent = first_free(&queue->ent_avail_queue);
    if (ent)
        bind(ent, req);                         /* AVAILABLE -> FUSE_REQ, until the COMMIT */
    else
        list_add_tail(&req->list, &queue->fuse_req_queue);      /* what blk-mq does by sleeping */
    spin_unlock(&queue->lock);

    if (ent)
        io_uring_cmd_complete_in_task(ent->cmd, fuse_uring_send_in_task);
}

/* daemon task work */
void fuse_uring_send_in_task(struct io_uring_cmd *cmd)
{
    struct fuse_ring_ent *ent = ent_of(cmd);

    copy_headers_to_user(ent);
    copy_payload_to_user(ent);                  /* WRITE only: the one copy, as in ublk */
    ent->state = FRRS_USERSPACE;
    hash_by_commit_id(ent);
    io_uring_cmd_done(cmd, 0);
}

/* daemon, inside io_uring_enter */
int fuse_uring_commit_fetch(struct io_uring_cmd *cmd, u64 commit_id)
{
    struct fuse_ring_ent *ent = find_by_commit_id(commit_id);

    if (!ent)
        return -ENOENT;                         /* the request is gone, or the id is made up */
    copy_reply_from_user(ent);                  /* READ: payload into the pages of the client */
    fuse_request_end(ent->req);

    ent->cmd = cmd;
    if (fuse_uring_get_next_fuse_req(ent))
        return deliver_now(ent);                /* a CQE for this COMMIT at once */
    ent->state = FRRS_AVAILABLE;
    return -EIOCBQUEUED;
}

void fuse_request_end(struct fuse_req *req)
{
    if (test_and_set_bit(FR_FINISHED, &req->flags))
        return;                                 /* interrupted and answered: once is enough */
    wake_up(&req->waitq);                                           //@ fuse_request_end
}
