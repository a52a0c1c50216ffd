/*
 * client.c - the program that does I/O on /dev/ublkb0, and the shell that started it
 *
 * Lesson: a client knows nothing of ublk. It reads and writes a disk. Everything below it,
 * down to the server in user space and back, happens inside one of its calls or while it sleeps.
 *
 * Runs here
 *   client    dd, fio, mkfs, blkdiscard ...: one process, the CPU it runs on picks the queue
 *   control   the ublk tool: it makes and removes the device, and takes no part in I/O
 *
 * Order that matters
 *   One client may have many I/Os open. They come back in ANY order: nothing below promises that
 *   the first one submitted is the first one done. A client that needs order has to wait.
 *
 * Kernel: any. All events of this file are facts: only a simulation knows them, since no
 * tracepoint of a real kernel tells what the program meant to do or what it got.
 */

/* ---- the session: commands one after the other, as a shell would run them ------------ */

void run_session(struct session *s)
{
    for (struct command *c = s->first; c; c = c->next) {
        pid_t pid = fork();

        if (pid == 0)
            execve(c->path, c->argv, c->envp);
        if (c->background)                      /* "dd ... &": the next line starts at once */
            continue;
        waitpid(pid, &c->status, 0);            /* a server that never answers hangs us here */
    }
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    /*
     * From here on everything this process causes belongs to this line of the session: the
     * chain of causes of any request ends here.
     */
    load_program(path, argv, envp);                                 //@ session_command
    return main(count(argv), argv);
}

void exit(int status)
{
    /* 0, or what the tool reports: dd gives 1 when a read fails with EIO */
    end_of_process(status);                                         //@ session_command_done
}

ssize_t write(int fd, const void *text, size_t len)
{
    return tty_write(fd, text, len);                                //@ command_output
}

/* ---- I/O: ask, wait, get ------------------------------------------------------------- */

struct client_io {
    int     op;             /* READ, WRITE, FLUSH, DISCARD, WRITE_ZEROES */
    off_t   offset;         /* bytes on the disk */
    size_t  length;
    void   *buf;            /* with O_DIRECT the pages of THIS buffer travel down the stack */
    ssize_t result;         /* bytes, or -errno */
};

/*
 * The inner loop of fio; dd is the same with a depth of 1.
 *
 *   psync     one call, one I/O, the thread sleeps inside: --iodepth above 1 means nothing
 *   libaio    io_submit() returns at once with O_DIRECT, so up to iodepth I/Os are open
 *   io_uring  as libaio, through a ring of the client's own (not the ring of the server!)
 *
 * Why --direct=1 in examples: without it a WRITE ends in the page cache, the disk sees it
 * seconds later in pieces of another size, and a READ may never get to the disk at all.
 */
void do_io(struct thread_data *td)
{
    while (td->issued < td->number_ios || td->open > 0) {
        while (td->open < td->iodepth && td->issued < td->number_ios) {
            struct client_io *io = next_io(td);      /* random or sequential */

            td->open++;
            td->issued++;
            queue_io(td, io);                                       //@ app_io_submit
        }
        for (struct client_io *io = get_done(td); io; io = get_done(td)) {
            /*
             * A short result is not an error to the kernel. A READ is done when the LAST
             * part of it is: ublk may have served it in two deliveries without telling.
             */
            td->open--;
            account(td, io->result);                                //@ app_io_done
        }
    }
}

void queue_io(struct thread_data *td, struct client_io *io)
{
    switch (td->engine) {
    case PSYNC:
        io->result = io->op == READ ? pread64(td->fd, io->buf, io->length, io->offset)
                                    : pwrite64(td->fd, io->buf, io->length, io->offset);
        break;
    case LIBAIO:
        io_submit(td->ctx, 1, &io->iocb);
        break;
    }
}

/*
 * O_DIRECT: pin the pages of the user's buffer, make a bio of them, hand it to the block layer.
 * These are the pages that ublk copies from or to - and, with zero copy, the pages that the
 * backing disk itself reads from or writes to. That is why `-z` needs the server's good will.
 */
ssize_t pread64(int fd, void *buf, size_t len, off_t offset)
{
    struct bio *bio = bio_of_user_pages(REQ_OP_READ, buf, len, offset);

    submit_bio_noacct_nocheck(bio);             /* blk-mq.c */
    blk_finish_plug(current->plug);             /* whatever we collected goes out now */
    while (!bio->done)
        io_schedule();                          /* sleep until bio_endio() wakes us */
    unpin_user_pages(bio);
    return bio->error ? bio->error : len;
}

int io_submit(struct aio_context *ctx, int nr, struct iocb **iocbs)
{
    struct blk_plug plug;

    /*
     * One plug around the whole batch: the bios of a batch meet in it, neighbours merge, and
     * the rest reaches the driver in one go (blk-mq.c, blk_mq_flush_plug_list).
     */
    blk_start_plug(&plug);
    for (int i = 0; i < nr; i++)
        submit_bio_noacct_nocheck(bio_of_iocb(iocbs[i]));
    blk_finish_plug(&plug);
    return nr;
}
