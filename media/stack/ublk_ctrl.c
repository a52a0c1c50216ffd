/*
 * ublk_ctrl.c - making, ending and losing a ublk device
 *
 * Lesson: the control path is io_uring as well, by commands on /dev/ublk-control. All of them
 * may sleep, so all of them run in an io-wq worker. And: nobody tells the driver that a server
 * died. It has to notice, and until it does, requests of the dead server just hang.
 *
 *   ublk add      ADD_DEV -> daemon starts -> one FETCH per tag -> SET_PARAMS -> START_DEV
 *   ublk del      GET_DEV_INFO -> STOP_DEV -> daemon exits -> DEL_DEV
 *
 *   DEAD --START_DEV--> LIVE --STOP_DEV, or the server dies--> DEAD
 *                       |  ^
 *     the server dies,  |  |  END_USER_RECOVERY: a new server has armed all slots
 *     USER_RECOVERY on  v  |
 *                     QUIESCED    (requests wait in the block layer, the client hangs)
 *
 * Runs here
 *   control    the ublk tool; only the nonblocking attempt, always answered with -EAGAIN
 *   io-wq      the worker that does the command
 *   daemon     open and close of /dev/ublkcN
 *   kworker    monitor (every 5 s), stop work, release work, partition scan
 *
 * Locks and order
 *   ub->mutex      one control command at a time per device
 *   ublkcN open    UB_STATE_OPEN: exactly one opener
 *   START_DEV returns only after the partition scan, whose READs the SERVER has to answer:
 *   the daemon must be in its loop before the ublk tool gets its CQE.
 *
 * Kernel: 6.1; functions of later kernels are marked.
 */

/* ---- commands ------------------------------------------------------------------------ */

int ublk_ctrl_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
    const struct ublksrv_ctrl_cmd *header = cmd->cmd;       /* 32 bytes: needs a 128-byte SQE */
    struct ublk_device *ub = ublk_get_device_from_id(header->dev_id);

    if (issue_flags & IO_URING_F_NONBLOCK)                          //@ ublk_ctrl_uring_cmd
        return -EAGAIN;                 /* io_uring: queue_async_work, "normal queue" */

    switch (cmd->cmd_op & 0xff) {
    case UBLK_CMD_ADD_DEV:              return ublk_ctrl_add_dev(header);
    case UBLK_CMD_SET_PARAMS:           return ublk_ctrl_set_params(header);
    case UBLK_CMD_START_DEV:            return ublk_ctrl_start_dev(ub, header);
    case UBLK_CMD_STOP_DEV:             ublk_stop_dev(ub); return 0;
    case UBLK_CMD_DEL_DEV:              return ublk_ctrl_del_dev(ub);
    case UBLK_CMD_START_USER_RECOVERY:  return ublk_ctrl_start_recovery(ub);
    case UBLK_CMD_END_USER_RECOVERY:    return ublk_ctrl_end_recovery(ub, header);
    }
    return -EOPNOTSUPP;
}

int ublk_ctrl_start_dev(struct ublk_device *ub, const struct ublksrv_ctrl_cmd *header)
{
    /* every slot of every queue must hold a FETCH, else a request would find nobody */
    if (wait_for_completion_interruptible(&ub->completion))
        return -EINTR;

    ub->dev_info.ublksrv_pid = header->data[0];
    set_state(ub, UBLK_S_DEV_LIVE);
    ub->disk = blk_mq_alloc_disk(&ub->tag_set);
    return add_disk(ub->disk);          /* reads sector 0 through the server, then returns */
}

/* not a function of the kernel: the place of a fact, for every change of the state */
void set_state(struct ublk_device *ub, int state)
{
    /* LIVE at start and after recovery, DEAD by ublk_stop_dev, QUIESCED when the server died */
    ub->dev_info.state = state;                                     //@ ublk_dev_state
}

/* later kernels: the scan is work of its own, so that a hung server cannot hang START_DEV */
void ublk_partition_scan_work(struct work_struct *work)
{
    bdev_disk_changed(disk_of(work));                               //@ ublk_partition_scan_work
}

void ublk_stop_dev(struct ublk_device *ub)
{
    mutex_lock(&ub->mutex);                                         //@ ublk_stop_dev
    if (ub->state_is_live)
        del_gendisk(ub->disk);          /* waits until every request in flight has ended */
    set_state(ub, UBLK_S_DEV_DEAD);
    ub->dev_info.ublksrv_pid = -1;
    mutex_unlock(&ub->mutex);
    ublk_cancel_dev(ub);
}

/*
 * The last word to the server: the command parked in each idle slot completes with -ENODEV.
 * A good server does not re-arm; when its last command is back it leaves its loop.
 */
void ublk_cancel_dev(struct ublk_device *ub)
{
    for_each_queue(ub, ubq) {                                       //@ ublk_cancel_dev
        for (int tag = 0; tag < ubq->depth; tag++) {
            struct ublk_io *io = &ubq->ios[tag];

            if (!(io->flags & UBLK_IO_FLAG_ACTIVE) || io->flags & UBLK_IO_FLAG_CANCELED)
                continue;
            io->flags |= UBLK_IO_FLAG_CANCELED;
            io_uring_cmd_done(io->cmd, UBLK_IO_RES_ABORT);      /* -ENODEV */
        }
    }
}

/* ---- the char device ----------------------------------------------------------------- */

int ublk_ch_open(struct inode *inode, struct file *file)
{
    struct ublk_device *ub = dev_of_inode(inode);

    if (test_and_set_bit(UB_STATE_OPEN, &ub->state))                //@ ublk_ch_open
        return -EBUSY;                  /* a second server is not let in */
    file->private_data = ub;
    return 0;
}

int ublk_ch_release(struct inode *inode, struct file *file)
{
    struct ublk_device *ub = file->private_data;

    /* last reference: registered files of a dying ring hold one, so this may come late */
    clear_bit(UB_STATE_OPEN, &ub->state);                           //@ ublk_ch_release
    return 0;
}

/* ---- the server is gone -------------------------------------------------------------- */

/* a thread of the server, in order or by a signal; nobody tells the driver */
void do_exit(long code)
{
    struct task_struct *tsk = current;

    io_uring_files_cancel();            /* its io-wq workers end here, parked commands do not */
    trace(tsk);                                                     //@ sched_process_exit
    exit_files(tsk);                    /* the ring is closed, and taken apart by a kworker */
    tsk->state = TASK_DEAD;
}

/* kworker, every 5 s, or at once after an abort */
void ublk_daemon_monitor_work(struct work_struct *work)
{
    struct ublk_device *ub = dev_of(work);

    for_each_queue(ub, ubq) {                                       //@ ublk_daemon_monitor_work
        if (!(ubq->ubq_daemon->flags & PF_EXITING))
            continue;
        if (ublk_can_use_recovery(ub))
            schedule_work(&ub->quiesce_work);
        else
            schedule_work(&ub->stop_work);
        ublk_abort_queue(ub, ubq);
    }
    if (ub->dev_info.state != UBLK_S_DEV_DEAD)
        schedule_delayed_work(&ub->monitor_work, 5 * HZ);
}

void ublk_stop_work_fn(struct work_struct *work)
{
    ublk_stop_dev(dev_of(work));                                    //@ ublk_stop_work_fn
}

/* requests the dead server OWNED; the ones still queued are caught in __ublk_rq_task_work */
void ublk_abort_queue(struct ublk_device *ub, struct ublk_queue *ubq)
{
    for (int tag = 0; tag < ubq->depth; tag++) {
        struct ublk_io *io = &ubq->ios[tag];
        struct request *rq = rq_of_slot(ubq, tag);

        if (io->flags & UBLK_IO_FLAG_ACTIVE || !rq || io->flags & UBLK_IO_FLAG_ABORTED)
            continue;
        io->flags |= UBLK_IO_FLAG_ABORTED;
        __ublk_fail_req(ubq, rq);
    }
}

void __ublk_fail_req(struct ublk_queue *ubq, struct request *rq)
{
    /*
     * REISSUE only by wish: the dead server may have written half of it. Doing a WRITE twice
     * is harmless for a plain file, but not for every target.
     */
    if (ubq->flags & UBLK_F_USER_RECOVERY_REISSUE)                  //@ ublk_fail_req
        blk_mq_requeue_request(rq, false);
    else
        blk_mq_end_request(rq, BLK_STS_IOERR);
}

/* not delivered yet: any recovery flag is enough to keep it, the server never saw it */
void __ublk_abort_rq(struct ublk_queue *ubq, struct request *rq)
{
    if (ublk_can_use_recovery(ubq->dev))                            //@ ublk_abort_rq
        blk_mq_requeue_request(rq, false);
    else
        blk_mq_end_request(rq, BLK_STS_IOERR);
    run_now(&ubq->dev->monitor_work);       /* do not wait 5 s to find out */
}

/* ---- later kernels: io_uring tells the driver ---------------------------------------- */

/*
 * Since 6.7 a parked command is "cancelable": when its task or ring dies, io_uring calls the
 * driver with IO_URING_F_CANCEL for each of them. No monitor, no waiting for 5 s.
 */
void ublk_cancel_cmd(struct ublk_queue *ubq, unsigned int tag, unsigned int issue_flags)
{
    struct ublk_io *io = &ubq->ios[tag];                            //@ ublk_cancel_cmd

    if (rq_of_slot(ubq, tag))
        return;                         /* a request is on its way to this slot: it goes first */
    io->flags |= UBLK_IO_FLAG_CANCELED;
    io_uring_cmd_done(io->cmd, UBLK_IO_RES_ABORT);
}

void ublk_start_cancel(struct ublk_device *ub)
{
    /* quiesced only for the moment of the switch: afterwards ->queue_rq sees "canceling" */
    blk_mq_quiesce_queue(ub->disk->queue);                          //@ ublk_start_cancel
    set_canceling(ub, true);
    blk_mq_unquiesce_queue(ub->disk->queue);
}

void ublk_ch_release_work_fn(struct work_struct *work)
{
    struct ublk_device *ub = dev_of(work);

    /* runs after the last reference to ublkcN: no buffer of a request is in use any more */
    wait_for_all_buffer_references(ub);                             //@ ublk_ch_release_work_fn
    for_each_queue(ub, ubq)
        ublk_abort_queue(ub, ubq);
    if (ublk_can_use_recovery(ub))
        set_state(ub, UBLK_S_DEV_QUIESCED);
    else
        schedule_work(&ub->stop_work);
}
