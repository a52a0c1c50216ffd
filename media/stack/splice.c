/*
 * splice.c - the RFC of 3 Nov 2022: ublk requests without a copy, through a pipe nobody can see
 *
 * Lesson: ->splice_read of /dev/ublkcN puts the PAGES of a block request into a pipe; the
 * backing file takes them out. For a WRITE it writes from them. For a READ the direction turns
 * round: the pages go in empty and the backing file READS INTO them. One SQE per request:
 *
 *     SPLICE { fd = backing file (out), off = its offset,
 *              splice_fd_in = /dev/ublkcN, splice_off_in = queue << 42 | tag << 30 | offset,
 *              splice_flags = SPLICE_F_DIRECT                           0x10   WRITE
 *                           | SPLICE_F_READ_TO_READ                     0x20   READ: 0x30 }
 *
 *   WRITE   request pages --add_to_pipe--> internal pipe --iter_file_splice_write--> disk
 *   READ    request pages --add_to_pipe--> internal pipe <--generic_file_splice_read-- disk
 *
 * Why an INTERNAL pipe (current->splice_pipe): the pages of a READ hold old memory. In a pipe
 * with a file descriptor the server could read() or tee() it. Nobody has a descriptor of this one.
 *
 * Why the pages get NO reference: they belong to the block request, and the request stays open
 * until the server commits. That is the whole guarantee. A server that commits too early lets the
 * disk write into pages that belong to somebody else by then. Seen on a real kernel.
 *
 * Runs here: io-wq only, blocking, one SPLICE after the other for a regular backing file.
 * Locks: pipe->mutex is not needed, the pipe has one user: the worker it belongs to.
 *
 * Kernel: 6.1 with the four patches of the RFC; never merged. At the end: what is newer.
 */

/* ---- 1. the operation ---------------------------------------------------------------- */

int io_splice(struct io_kiocb *req, unsigned int issue_flags)
{
    struct io_splice *sp = data_of(req);                            //@ io_splice
    long ret;

    if (issue_flags & IO_URING_F_NONBLOCK)
        return -EAGAIN;                 /* always: the inline attempt is only asked to refuse */

    sp->in = io_file_get_normal(req, sp->splice_fd_in);        /* a plain number, not fixed */
    if (sp->flags & SPLICE_F_READ_TO_READ)
        ret = do_splice_direct_read_consumer(sp->in, &sp->off_in, sp->out, &sp->off_out,
                                             sp->len, sp->flags);
    else if (sp->flags & SPLICE_F_DIRECT)
        ret = do_splice_direct(sp->in, &sp->off_in, sp->out, &sp->off_out, sp->len, sp->flags);
    else
        ret = do_splice(sp->in, sp->out, sp->len, sp->flags);

    if (ret != sp->len)
        req_set_fail(req);              /* short counts as failed: a soft link breaks */
    return ret;
}

/* the ordinary splice(2): one end has to be a pipe, and ublk refuses it with -EPERM */
long do_splice(struct file *in, struct file *out, size_t len, unsigned int flags)
{
    long ret = -EINVAL;                                             //@ do_splice

    if (is_pipe(out))
        ret = splice_file_to_pipe(in, pipe_of(out), len, flags);
    else if (is_pipe(in))
        ret = do_splice_from(pipe_of(in), out, len, flags);
    return ret;                                                     //@ do_splice_ret
}

/* ---- 2. WRITE: plain direct splice --------------------------------------------------- */

long do_splice_direct(struct file *in, loff_t *ppos, struct file *out, loff_t *opos,
                      size_t len, unsigned int flags)
{
    struct splice_desc sd = { .total_len = len, .pos = *ppos, .out = out, .opos = opos };
    long ret;

    if (!(out->f_mode & FMODE_WRITE))                               //@ do_splice_direct
        return -EBADF;
    ret = splice_direct_to_actor(in, &sd, direct_splice_actor);
    return ret;                                                     //@ do_splice_direct_ret
}

int direct_splice_actor(struct pipe_inode_info *pipe, struct splice_desc *sd)
{
    int ret = iter_file_splice_write(pipe, sd->out, sd->opos, sd->total_len);  //@ actor_write

    return ret;                                                     //@ actor_write_ret
}

/* ---- 3. READ: the consumer reads (patch 3 of 4) -------------------------------------- */

long do_splice_direct_read_consumer(struct file *in, loff_t *ppos, struct file *out,
                                    loff_t *opos, size_t len, unsigned int flags)
{
    struct splice_desc sd = { .total_len = len, .pos = *ppos, .out = out, .opos = opos };
    long ret;

    if (!(out->f_mode & FMODE_READ))                                //@ do_splice_direct_rc
        return -EBADF;                  /* "out" is the file that is READ: mind the names */
    if (out->f_op->splice_read != generic_file_splice_read)
        return -EINVAL;
    ret = splice_direct_to_actor(in, &sd, direct_splice_read_consumer_actor);
    return ret;                                                     //@ do_splice_direct_rc_ret
}

int direct_splice_read_consumer_actor(struct pipe_inode_info *pipe, struct splice_desc *sd)
{
    int ret = -EINVAL;                                              //@ actor_read_consumer

    /* the producer must have said "read into my pages"; a file that ignores flags has not */
    if (pipe->consumed_by_read)
        ret = do_splice_to(sd->out, sd->opos, pipe, sd->total_len, sd->flags, true);
    return ret;                                                     //@ actor_read_consumer_ret
}

/* ---- 4. the loop: fill the pipe, empty the pipe -------------------------------------- */

/*
 * 16 slots of one page each: 64 KiB a round. A 512 KiB request is 8 rounds in ONE SQE, each
 * waiting for the disk before the next starts. Copy mode sends one request of 512 KiB.
 */
long splice_direct_to_actor(struct file *in, struct splice_desc *sd, splice_direct_actor *actor)
{
    struct pipe_inode_info *pipe = current->splice_pipe;            //@ splice_direct_to_actor
    size_t len = sd->total_len;         /* unsigned: see below */
    long bytes = 0, ret = 0;

    if (!pipe)                          /* the first SPLICE of this worker */
        pipe = current->splice_pipe = alloc_pipe_info();

    while (len) {
        size_t read_len = ret = do_splice_to(in, &sd->pos, pipe, len, sd->flags, false);

        if (ret <= 0)
            break;
        sd->total_len = read_len;
        ret = actor(pipe, sd);          /* SPLICE_F_MORE is set while rounds follow */
        if (ret <= 0)
            break;

        /*
         * The producer puts whole segments into the pipe and may go beyond len. Then len wraps
         * to a huge number and the loop goes on: a defect of the RFC, met when a server cuts a
         * request into pieces other than multiples of 64 KiB.
         */
        bytes += ret;
        len -= ret;
        if (ret < read_len)
            break;                      /* short: end of the file, or an error after progress */
    }
    release_leftovers(pipe);
    pipe->head = pipe->tail = 0;        /* only at the end; between rounds they run on */
    /* progress hides the error: the server sees a short count, not -EIO */
    return bytes ? bytes : ret;                                     //@ splice_direct_to_actor_ret
}

long do_splice_to(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len,
                  unsigned int flags, bool consumer)
{
    unsigned int used = pipe->head - pipe->tail;       /* free-running: the difference counts */
    long ret;

    len = min(len, (consumer ? used : pipe->max_usage - used) << PAGE_SHIFT);  //@ do_splice_to
    ret = in->f_op->splice_read(in, ppos, pipe, len, flags);
    return ret;                                                     //@ do_splice_to_ret
}

/* ---- 5. the producer: ublk lends the pages of a request (patch 4 of 4) --------------- */

ssize_t ublk_splice_read(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe,
                         size_t len, unsigned int flags)
{
    unsigned int qid = *ppos >> 42, tag = *ppos >> 30 & 0xfff;      //@ ublk_splice_read
    unsigned int offset = *ppos & 0x3fffffff;
    struct request *rq;
    ssize_t ret = -EINVAL;
    unsigned int handled;

    if (!(flags & SPLICE_F_DIRECT))
        return -EPERM;                  /* no pipe of the user's: it would leak old memory */
    if (pipe->consumed_by_read)
        return -EINVAL;
    rq = started_request(qid, tag);     /* "started" and "tag still the same", not just a lookup */
    if (!rq)
        return -EINVAL;

    /*
     * Each byte is lent at most once per delivery. The counter is raised by the length ASKED
     * FOR, and before the other checks: a refused or short attempt counts as well, so a retry
     * gets -EACCES. Also a defect of the RFC.
     */
    handled = atomic_add_return(len, &ublk_pdu(rq)->handled);       //@ ublk_handled
    if (handled > blk_rq_bytes(rq) || !len)
        return -EACCES;
    if (offset + len > blk_rq_bytes(rq) || wrong_direction(rq, flags))
        return -EINVAL;

    rq_for_each_segment(bv, rq) {                   /* a segment is at most one page */
        struct pipe_buffer buf = {
            .page = bv.bv_page, .offset = bv.bv_offset, .len = bv.bv_len,
            .ops = &ublk_pipe_buf_ops,              /* no get_page() here: nothing to put */
        };

        if (add_to_pipe(pipe, &buf) < 0)
            break;                                  /* full: leaves this bio, tries the next */
        ret = max(ret, 0) + bv.bv_len;
    }
    pipe->consumed_by_read = flags & SPLICE_F_READ_TO_READ;
    return ret;                                                     //@ ublk_splice_read_ret
}

ssize_t add_to_pipe(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
    if (pipe_full(pipe->head, pipe->tail, pipe->max_usage)) {       //@ add_to_pipe
        buf->ops->release(pipe, buf);
        return -EAGAIN;
    }
    pipe->bufs[pipe->head & (pipe->ring_size - 1)] = *buf;
    pipe->head++;
    return buf->len;
}

void ublk_pipe_buf_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
    /* page count 2 before, 2 after: the mapping's and the client's direct I/O. None is ours. */
    buf->page = NULL;                                               //@ ublk_pipe_buf_release
}

/* ---- 6. the consumers: the backing file ---------------------------------------------- */

ssize_t generic_file_splice_read(struct file *file, loff_t *ppos, struct pipe_inode_info *pipe,
                                 size_t len, unsigned int flags)
{
    ssize_t ret = -EFAULT;                                          //@ generic_file_splice_read

    if (!pipe->consumed_by_read)
        return fill_pipe_from_file(file, ppos, pipe, len);     /* the usual direction */

    /* an iterator over the pages in the pipe; with O_DIRECT the disk's DMA goes right there */
    ret = call_read_iter(file, ppos, bvecs_of(pipe, len));     /* files.c; the worker sleeps */
    if (ret > 0) {
        page_fill(rq_of(pipe), pos_of(pipe), ret, file->name); /* files.c: a fact */
        splice_dismiss_pipe(pipe, ret);
    } else if (ret == -EFAULT) {
        ret = -EAGAIN;
    }
    pipe->consumed_by_read = false;     /* in every case, errors too */
    return ret;                                                     //@ generic_file_splice_read_ret
}

ssize_t iter_file_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *ppos,
                               size_t len)
{
    struct iov_iter *from = bvecs_of(pipe, len);                    //@ iter_file_splice_write
    ssize_t ret;

    /* from the pages of the request: no copy with O_DIRECT, one by this worker without */
    ret = vfs_iter_write(out, from, ppos);
    if (ret > 0)
        splice_dismiss_pipe(pipe, ret);
    return ret;                                                     //@ iter_file_splice_write_ret
}

void splice_dismiss_pipe(struct pipe_inode_info *pipe, size_t bytes)
{
    while (bytes) {                                                 //@ splice_dismiss_pipe
        struct pipe_buffer *buf = &pipe->bufs[pipe->tail & (pipe->ring_size - 1)];
        size_t n = min(bytes, buf->len);

        buf->offset += n;
        buf->len -= n;
        bytes -= n;
        if (!buf->len) {
            buf->ops->release(pipe, buf);
            pipe->tail++;
        }
    }
}

/* ---- 7. pipes come and go ------------------------------------------------------------ */

struct pipe_inode_info *alloc_pipe_info(void)
{
    struct pipe_inode_info *pipe = kzalloc(sizeof(*pipe));          //@ alloc_pipe_info

    pipe->ring_size = PIPE_DEF_BUFFERS;         /* 16 */
    pipe->readers = 1;                          /* internal: pretend somebody reads */
    return pipe;                                                    //@ alloc_pipe_info_ret
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
    /* for an internal pipe in do_exit() of its worker */
    kfree(pipe);                                                    //@ free_pipe_info
}

int wait_for_space(struct pipe_inode_info *pipe, unsigned int flags)
{
    while (pipe_full(pipe->head, pipe->tail, pipe->max_usage))      //@ wait_for_space
        pipe_wait_writable(pipe);       /* never for the internal pipe: it would wait for itself */
    return 0;
}

long splice_file_to_pipe(struct file *in, struct pipe_inode_info *pipe, size_t len,
                         unsigned int flags)
{
    wait_for_space(pipe, flags);                                    //@ splice_file_to_pipe
    return do_splice_to(in, NULL, pipe, len, flags, false);
}

/* ---- 8. since 6.5: generic_file_splice_read is gone, so the RFC cannot be carried forward  */

ssize_t filemap_splice_read(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len)
{
    /* here the pages ARE referenced: the pipe owns one reference for each buffer */
    return splice_folios_into_pipe(pipe, in, *ppos, len);           //@ filemap_splice_read
}

ssize_t do_splice_read(struct file *in, loff_t *ppos, struct pipe_inode_info *pipe, size_t len)
{
    return in->f_op->splice_read(in, ppos, pipe, len);              //@ do_splice_read
}
