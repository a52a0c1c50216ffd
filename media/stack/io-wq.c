/*
 * io-wq.c - worker threads for what cannot be done without sleeping
 *
 * Lesson: io_uring tries everything without blocking first. What cannot be done so is punted
 * to a pool of kernel threads of the submitting task, named iou-wrk-<its tid>. This costs two
 * context switches. It is the known price of the splice RFC: EVERY SPLICE goes this way, since
 * splice has no nonblocking form and cannot be polled. In copy mode a direct READ of the backing
 * file needs no worker at all.
 *
 * Runs here
 *   daemon, control, client   io_queue_iowq: the task that submitted
 *   io-wq                     everything else
 *
 * Order: the thing to know
 *   hashed work     WRITE, SPLICE and TEE to a REGULAR file are hashed by its inode: one at a
 *                   time, in queue order, whatever the number of workers. With `ublk add -t
 *                   loop -f disk.img -z` all requests of a queue are served strictly one after
 *                   the other, READs too (the file is the OUT end of a SPLICE in both cases).
 *   normal work     block devices and control commands: up to 4 workers per CPU in parallel
 *                   (bounded class), no order at all
 *   6.12 and later force SPLICE into io-wq before its file is known: "normal queue" there.
 *
 * Lifetimes: each worker has its own internal pipe (splice.c), made with its first SPLICE and
 * freed when the worker exits: after 5 s without work, or with the ring.
 *
 * Kernel: 6.1.
 */

/* ---- 1. the submitting task: punt ---------------------------------------------------- */

void io_queue_iowq(struct io_kiocb *req)
{
    struct io_uring_task *tctx = current->io_uring;                 //@ io_queue_iowq

    if (op_is_hashed(req->opcode) && req->flags & REQ_F_ISREG)
        io_wq_hash_work(&req->work, file_inode(req->file));

    /*
     * Everything the worker needs is in req by now: the SQE slot in the ring will be reused
     * as soon as io_uring_enter returns. A URING_CMD copies its command area for that reason.
     */
    note_work(req, io_wq_is_hashed(&req->work));                    //@ io_uring_queue_async_work
    io_wq_enqueue(tctx->io_wq, &req->work);
}

void io_wq_enqueue(struct io_wq *wq, struct io_wq_work *work)
{
    lock(&wq->lock);
    append(&wq->work_list, work);
    unlock(&wq->lock);

    if (wake_free_worker(wq))
        return;
    if (wq->nr_running == 0)
        create_io_worker(wq);           /* limit: min(SQ entries, 4 x CPUs) bounded workers */
}

/* the scheduler calls this when a worker goes to sleep (waits for a disk, say) */
void io_wq_worker_sleeping(struct io_worker *worker)
{
    struct io_wq *wq = worker->wq;

    wq->nr_running--;
    if (wq->nr_running == 0 && has_runnable_work(wq) && !wake_free_worker(wq))
        create_io_worker(wq);           /* one sleeps, another takes over */
}

/* ---- 2. the worker ------------------------------------------------------------------- */

int io_wq_worker(void *data)
{
    struct io_worker *worker = data;

    while (!wq_exiting(worker->wq)) {
        struct io_wq_work *work = io_get_next_work(worker->wq);

        if (work) {
            io_worker_handle_work(worker, work);
            continue;
        }
        if (sleep_for_work(worker, 5 * HZ) == TIMED_OUT && !is_last_worker(worker))
            break;
    }
    return 0;                           /* do_exit frees the internal pipe of this task */
}

struct io_wq_work *io_get_next_work(struct io_wq *wq)
{
    for_each_work(work, &wq->work_list) {
        if (!io_wq_is_hashed(work))
            return take(work);
        if (!test_and_set_bit(hash_of(work), &wq->hash->map))
            return take(work);          /* we hold the inode now; the next one has to wait */
    }
    return NULL;
}

void io_worker_handle_work(struct io_worker *worker, struct io_wq_work *work)
{
    unsigned int hash = hash_or_none(work);

    io_wq_submit_work(work);
    if (hash != NONE) {
        clear_bit(hash, &worker->wq->hash->map);
        wake_hash_waiters(worker->wq);
    }
}

void io_wq_submit_work(struct io_wq_work *work)
{
    struct io_kiocb *req = work_to_req(work);                       //@ io_wq_submit_work
    int ret;

    /*
     * No NONBLOCK this time: SPLICE, FSYNC, FALLOCATE or a ublk control command may sleep as
     * long as it has to. This thread has the memory map and the files of the submitter, but
     * it is NOT the submitter: a ublk I/O command from here would be refused.
     */
    do {
        ret = io_issue_sqe(req, 0);
    } while (ret == -EAGAIN && can_retry(req));

    if (ret != -EIOCBQUEUED)
        io_req_complete_post(req, ret);         /* 6.1: the worker posts the CQE by itself */
}

/*
 * A chain: when its head ran here the next member runs here as well, at once and blocking,
 * with no event of its own. Unless it is hashed: then it is queued again.
 */
void io_run_linked_here(struct io_worker *worker, struct io_kiocb *done)
{
    struct io_kiocb *next = done->link;

    if (next && !io_wq_is_hashed(&next->work))
        io_wq_submit_work(&next->work);
    else if (next)
        io_wq_enqueue(worker->wq, &next->work);
}
