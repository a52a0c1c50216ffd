/*
 * files.c - the backing file: direct I/O, page cache, the disk below, and the interrupt
 *
 * Lesson: what the server asks of its backing file is a second, complete trip through the block
 * layer - another disk, another queue, other tags. In a trace the two look alike; the device
 * number tells them apart. Here copy mode and -z differ in WHOSE pages go down:
 *
 *                O_DIRECT backing file                  --buffered_io
 *   copy mode    pages of the server's buffer           page cache -> server's buffer: 1 more copy
 *   -z           pages of the CLIENT's request          page cache -> request: the worker copies
 *
 * So "zero copy" is true for a direct backing file only.
 *
 * Runs here
 *   daemon      copy mode: READ and WRITE of the backing file start inline in io_uring_enter
 *   io-wq       SPLICE, FSYNC, FALLOCATE, buffered writes: blocking
 *   interrupt   the disk answers; io_uring then adds task work, a worker is just woken
 *   kworker     writeback of dirty pages; nobody waits for it until FSYNC
 *
 * Locks and order
 *   inode lock  a direct write that extends the file, and every buffered write, holds it
 *   A disk may answer in any order; two direct READs of one submit need not come back in order.
 *
 * Kernel: 6.1, ext4 with iomap direct I/O.
 */

/* ---- 1. io_uring's READ and WRITE (io_uring/rw.c) ------------------------------------ */

int io_read(struct io_kiocb *req, unsigned int issue_flags)
{
    struct kiocb *kiocb = kiocb_of(req);

    if (issue_flags & IO_URING_F_NONBLOCK)
        kiocb->ki_flags |= IOCB_NOWAIT;
    return call_read_iter(req->file, kiocb);    /* -EIOCBQUEUED: the disk has it */
}

int io_write(struct io_kiocb *req, unsigned int issue_flags)
{
    struct kiocb *kiocb = kiocb_of(req);
    ssize_t done;

    /* ext4, buffered: refuses NOWAIT, so -EAGAIN, so a worker - hashed by inode (io-wq.c) */
    if (issue_flags & IO_URING_F_NONBLOCK)
        kiocb->ki_flags |= IOCB_NOWAIT;
    done = call_write_iter(req->file, kiocb);

    if (done > 0 && done < req->cqe.res)
        return retry_rest(req, done);                               //@ io_uring_short_write
    return done;
}

/* ---- 2. the file system -------------------------------------------------------------- */

ssize_t ext4_file_read_iter(struct kiocb *kiocb, struct iov_iter *to)
{
    if (kiocb->ki_flags & IOCB_DIRECT)
        return iomap_dio_rw(kiocb, to);
    return filemap_read(kiocb, to);
}

/*
 * The pages behind the iterator become a bio. They may be the server's buffer (READ), or the
 * pages of a ublk request (SPLICE with READ_TO_READ): the disk cannot tell.
 */
ssize_t iomap_dio_rw(struct kiocb *kiocb, struct iov_iter *iter)
{
    struct inode *inode = file_inode(kiocb->ki_filp);
    struct iomap_dio *dio = new_dio(kiocb);
    struct bio *bio;

    if (kiocb->ki_pos >= i_size_read(inode))
        return 0;                       /* behind the end of the file: not an error */

    bio = bio_of_iter(iter, extent_at(inode, kiocb->ki_pos));
    bio->end_io = iomap_dio_bio_end_io;
    bio->private = dio;
    submit_bio_noacct_nocheck(bio);     /* blk-mq.c again, with the number of the other disk */

    if (is_async(kiocb))
        return -EIOCBQUEUED;            /* the daemon goes on; the interrupt comes back to it */
    wait_for_completion(&dio->done);    /* a worker with a SPLICE sleeps here */
    return dio->size;                   /* short at the end of the file */
}

ssize_t filemap_read(struct kiocb *kiocb, struct iov_iter *to)
{
    struct inode *inode = file_inode(kiocb->ki_filp);
    ssize_t copied = 0;

    while (iov_iter_count(to)) {
        struct folio *folio = find_in_page_cache(inode, kiocb->ki_pos + copied);

        if (!folio) {
            if (kiocb->ki_flags & IOCB_NOWAIT)
                return -EAGAIN;         /* not cached: io_uring asks for a worker */
            folio = read_ahead_and_wait(inode, kiocb->ki_pos + copied);
        }
        copied += copy_folio_to_iter(folio, to);        /* THE copy of buffered I/O */
    }
    return copied;
}

ssize_t generic_perform_write(struct kiocb *kiocb, struct iov_iter *from)
{
    ssize_t written;

    /*
     * Into the page cache, and that is all: the CQE comes back before any disk was touched.
     * Only FSYNC makes it durable. ublk-loop of 2022 advertises no write cache, so the client's
     * fsync never becomes a FLUSH request and never reaches this file.
     */
    written = copy_iter_to_folios(from, kiocb->ki_pos);
    balance_dirty_pages_ratelimited(kiocb->ki_filp->f_mapping);
    return written;
}

/* ---- 3. the disk answers: interrupt -------------------------------------------------- */

irqreturn_t disk_interrupt(int irq, void *queue)
{
    struct request *rq;

    while ((rq = next_answer(queue)))
        blk_mq_end_request(rq, status_of(rq));  /* bios end, tag of THAT disk is free */
    return IRQ_HANDLED;
}

void bio_endio(struct bio *bio)
{
    /*
     * Runs for both disks. For the backing disk: in the interrupt. For ublkb0: in the daemon,
     * inside its COMMIT - the client is woken by the thread that served it.
     *
     * The event is only printed for a bio that never became a request (a remapped or refused
     * one); a request prints block_rq_complete for all of its bios.
     */
    if (bio_flagged(bio, BIO_TRACE_COMPLETION) && !was_request(bio))
        bio_clear_flag(bio, BIO_TRACE_COMPLETION);                  //@ block_bio_complete
    bio->end_io(bio);
}

void iomap_dio_bio_end_io(struct bio *bio)
{
    struct iomap_dio *dio = bio->private;

    if (!drop_ref(dio))
        return;                         /* other bios of this I/O are still out */
    if (dio->waiter)
        wake_up_process(dio->waiter);           /* a worker: SPLICE goes on with its next round */
    else
        io_req_task_work_add(dio->kiocb);       /* READ of copy mode: task work of the daemon */
}

/* ---- 4. facts: the truth about the bytes, which only a simulation can know ----------- */

/*
 * The two functions below are in no kernel. They mark when bytes of a ublk request are really
 * filled, and what the client gets to see. If page_expose() tells of fewer filled bytes than
 * exposed ones, old memory has reached the client: the leak that a trusted server must avoid.
 */
void page_fill(struct request *rq, unsigned int offset, unsigned int len, const char *source)
{
    remember_origin(rq, offset, len, source);                       //@ page_fill
}

void page_expose(struct request *rq, unsigned int len)
{
    compare_with_origins(rq, 0, len);                               //@ page_expose
}
