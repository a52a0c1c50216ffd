/*
 * blk-mq.c - the block layer between a bio and the driver
 *
 * Lesson: a bio (pages plus a place on a disk) becomes a request; the request gets a TAG; the
 * driver gets the request. Later the driver ends the request and the tag is free. The tag is
 * blk-mq's number, not ublk's and not the server's: the server only reads it.
 *
 * Runs here
 *   client      the task that submits: direct issue, or the flush of its own plug
 *   kblockd     "kworker/N:1H-kblockd": queues that are run asynchronously, requeued requests
 *   daemon      the server thread: it ENDS requests inside its COMMIT system call, and for the
 *               backing file it is itself the task that submits
 *   io-wq       a worker that reads or writes the backing disk for a SPLICE
 *   interrupt   a real disk (the backing one) ends its requests here
 *
 * Locks and order
 *   sbitmap     atomic bits, no lock: two CPUs can never get the same tag
 *   hctx->lock  guards the dispatch list only
 *   tags        Unique per queue among requests in flight, and that is ALL. Nothing follows
 *               from their order: CPU hint, word of the bitmap, merging, plugging and requeueing
 *               each shuffle them. "Next tag = last tag + 1" is wrong.
 *
 * Kernel: 6.1. Names that moved since: block_unplug also from __blk_mq_flush_list (6.15).
 */

/* ---- 1. a bio comes in --------------------------------------------------------------- */

void submit_bio_noacct_nocheck(struct bio *bio)
{
    trace(bio);                                                     //@ block_bio_queue
    if (bdev_is_partition(bio->bi_bdev))
        blk_partition_remap(bio);
    blk_mq_submit_bio(bio);
}

void blk_partition_remap(struct bio *bio)
{
    /* sector 0 of ublkb0p1 is, say, sector 2048 of ublkb0: from here on the whole disk counts */
    bio->sector += bio->bi_bdev->start_sector;                      //@ block_bio_remap
}

void blk_mq_submit_bio(struct bio *bio)
{
    struct request_queue *q = bio->disk->queue;
    struct blk_plug *plug = current->plug;
    struct request *rq;

    bio = __bio_split_to_limits(bio, &q->limits);
    if (blk_mq_attempt_bio_merge(q, plug, bio))
        return;                         /* it rides on a request that is there already */

    /*
     * May sleep: when all tags of the queue are taken the CLIENT waits here. This is ublk's
     * whole back-pressure. The server's ring cannot overflow from this side, since there are
     * never more commands than tags.
     */
    rq = blk_mq_get_new_requests(q, plug, bio);
    fill_request(rq, bio);                                          //@ block_getrq

    if (plug)
        blk_add_rq_to_plug(plug, rq);   /* somebody up the stack will flush it */
    else if (q->elevator)
        blk_mq_sched_insert_request(rq, true);
    else
        blk_mq_try_issue_directly(rq->mq_hctx, rq);
}

struct bio *__bio_split_to_limits(struct bio *bio, struct queue_limits *lim)
{
    /*
     * ublk: max_sectors comes from max_io_buf_bytes (512 KiB unless told otherwise), because
     * the server has one buffer of that size per tag. A 1 MiB READ is two requests, two tags,
     * and the client's I/O is done when BOTH are.
     */
    if (bio_sectors(bio) <= lim->max_sectors)
        return bio;
    return bio_split_and_resubmit_rest(bio, lim->max_sectors);      //@ block_split
}

/* ---- 2. merging: fewer, larger requests ---------------------------------------------- */

bool bio_attempt_back_merge(struct request *rq, struct bio *bio)
{
    if (rq->sector + rq->nr_sectors != bio->sector || too_large(rq, bio))
        return false;
    append_bio(rq, bio);                                            //@ block_bio_backmerge
    return true;
}

bool bio_attempt_front_merge(struct request *rq, struct bio *bio)
{
    if (bio->sector + bio_sectors(bio) != rq->sector || too_large(rq, bio))
        return false;
    prepend_bio(rq, bio);                                           //@ block_bio_frontmerge
    return true;
}

struct request *attempt_merge(struct request *rq, struct request *next)
{
    if (rq->sector + rq->nr_sectors != next->sector)
        return NULL;
    move_bios(rq, next);                                            //@ block_rq_merge
    return next;                        /* the caller frees it: its bios live on in rq */
}

/* ---- 3. the plug: collect first, send together --------------------------------------- */

void blk_add_rq_to_plug(struct blk_plug *plug, struct request *rq)
{
    if (plug->rq_count == 0)
        note_start_of_batch(plug);                                  //@ block_plug
    else if (plug->rq_count >= BLK_MAX_REQUEST_COUNT)          /* 32 */
        blk_mq_flush_plug_list(plug, false);
    push_front(&plug->mq_list, rq);     /* a stack: the newest request is taken first */
    plug->rq_count++;
}

void blk_mq_flush_plug_list(struct blk_plug *plug, bool from_schedule)
{
    /*
     * from_schedule: the task goes to sleep with an open plug. It must not run a driver now,
     * so the queues are run by kblockd instead.
     */
    struct request *rq;

    if (one_queue(plug) && !plug->has_elevator && !from_schedule) {
        if (plug->queue->ops->queue_rqs) {
            plug->queue->ops->queue_rqs(&plug->mq_list);        /* ublk since 6.15 */
            return;
        }
        while ((rq = pop(&plug->mq_list)))
            __blk_mq_issue_directly(rq->mq_hctx, rq, is_empty(&plug->mq_list));
        return;
    }
    do {
        blk_mq_dispatch_plug_list(plug, from_schedule);         /* one queue a round */
    } while (!is_empty(&plug->mq_list));
}

void blk_mq_dispatch_plug_list(struct blk_plug *plug, bool from_schedule)
{
    LIST_HEAD(list);
    struct blk_mq_hw_ctx *hctx = hctx_of_first(plug);
    int depth = take_requests_of(plug, hctx, &list);

    count_batch(depth);                                             //@ block_unplug
    dd_insert_requests(hctx, &list, false);
    blk_mq_run_hw_queue(hctx, from_schedule);           /* here, or async in kblockd */
}

/* ---- 4. the scheduler ---------------------------------------------------------------- */

/*
 * mq-deadline is the default for a disk with exactly ONE hardware queue; with more there is no
 * scheduler. That decides when a request gets its tag: with a scheduler at dispatch, without
 * one at allocation. Hence a requeued request may come back with another tag only in the
 * first case.
 */
void dd_insert_request(struct blk_mq_hw_ctx *hctx, struct request *rq, bool at_head)
{
    /* dd->lock is held. at_head: requeued requests do not wait twice. */
    add_to_fifo_and_tree(rq, at_head);                              //@ block_rq_insert
}

/* client (flush of its plug) or kblockd; one context per hctx at a time */
void __blk_mq_do_dispatch_sched(struct blk_mq_hw_ctx *hctx)
{
    LIST_HEAD(list);
    struct request *rq;

    while ((rq = dd_dispatch_request(hctx))) {
        if (!__blk_mq_alloc_driver_tag(rq)) {
            put_back(rq);               /* no tag free: the next free tag runs us again */
            break;
        }
        list_add_tail(&rq->queuelist, &list);
    }
    blk_mq_dispatch_rq_list(hctx, &list);
}

void blk_mq_dispatch_rq_list(struct blk_mq_hw_ctx *hctx, struct list_head *list)
{
    struct request *rq;

    /* "last" tells the driver when to ring its doorbell; ublk of 6.1 does not care */
    while ((rq = list_pop(list)))
        hctx->queue->ops->queue_rq(hctx, rq, list_empty(list));
}

/* ---- 5. the tag ---------------------------------------------------------------------- */

/*
 * The bitmap is cut into words of at most 64 bits (depth 128: 4 words of 32). A per-CPU hint,
 * random at start, picks the word; the lowest free bit of it is the tag. A freed bit goes to a
 * second mask and counts as free again only when the word has nothing else left. So at depth 1
 * the tags walk 0, 1, 2, ... through a word: an artefact of the allocator and no order of I/O.
 */
bool __blk_mq_alloc_driver_tag(struct request *rq)
{
    int bit = sbitmap_get(&rq->mq_hctx->tags->bitmap, this_cpu_hint());

    if (bit < 0)
        return false;
    rq->mq_hctx->tags->rqs[bit] = rq;   /* blk_mq_tag_to_rq() finds it by this table */
    rq->tag = bit;                                                  //@ blk_mq_get_driver_tag
    return true;
}

void blk_mq_put_tag(struct blk_mq_tags *tags, int tag)
{
    /*
     * rqs[tag] is NOT cleared: blk_mq_tag_to_rq() may return a request that ended long ago.
     * Whoever asks must also check "is it started, and does it carry this tag?".
     */
    sbitmap_queue_clear(&tags->bitmap, tag);                        //@ blk_mq_put_driver_tag
}

/* ---- 6. started, ended, requeued ----------------------------------------------------- */

/* called by the driver's ->queue_rq: from here on the request is in flight */
void blk_mq_start_request(struct request *rq)
{
    rq->state = MQ_RQ_IN_FLIGHT;                                    //@ block_rq_issue
}

/*
 * So many bytes of the request are done. Full bios end HERE, in the context of the caller:
 * for ublk that is the daemon inside its own COMMIT. Returns true while something is left.
 */
bool blk_update_request(struct request *rq, blk_status_t error, unsigned int nr_bytes)
{
    account_done(rq, nr_bytes);                                     //@ block_rq_complete
    if (error)
        print_error(rq, error);                                     //@ block_rq_error

    while (rq->bio && nr_bytes >= rq->bio->size) {
        struct bio *bio = pop_bio(rq);

        nr_bytes -= bio->size;
        bio->status = error;
        bio_endio(bio);                 /* files.c: the client wakes up, or a chain goes on */
    }
    trim_first_bio(rq, nr_bytes);
    return rq->bio != NULL;             /* a short READ: the rest goes back to the queue */
}

void blk_mq_end_request(struct request *rq, blk_status_t error)
{
    blk_update_request(rq, error, rq->bytes);                       //@ blk_mq_end_request
    __blk_mq_end_request(rq, error);
}

void __blk_mq_end_request(struct request *rq, blk_status_t error)
{
    /*
     * The tag is given back AFTER the bios ended. ublk has armed the slot of this tag before
     * it called us, so another CPU may take the tag at once, even while COMMIT still runs.
     */
    blk_mq_put_tag(rq->mq_hctx->tags, rq->tag);
    wake_up_tag_waiters(rq->mq_hctx);
}

void blk_mq_requeue_request(struct request *rq, bool kick)
{
    __blk_mq_requeue_request(rq);                                   //@ blk_mq_requeue_request
    push(&rq->q->requeue_list, rq);
    if (kick)
        blk_mq_kick_requeue_list(rq->q);        /* a kworker inserts it again, at the head */
}

void __blk_mq_requeue_request(struct request *rq)
{
    rq->state = MQ_RQ_IDLE;                                         //@ block_rq_requeue
    if (rq->q->elevator)
        blk_mq_put_tag(rq->mq_hctx->tags, rq->tag);     /* so it may return with another one */
}
