/*
 * Runs one ring program on the kernel of this machine with raw system calls.
 *
 * Input (stdin), one command per line, numbers in decimal, bytes in hex:
 *   R entries cq_entries setup fsize          ring; cq_entries 0 = default; fsize -1 = no limit
 *   F fd kind size cached oflags fixed sum    regular file (kind f) or device (n, z, u)
 *   P rfd wfd size fill nonblock fixed sum    pipe; fixed = index of the read end or -1
 *   B addr size fixed sum                     buffer
 *   M addr hex                                other memory that requests point to
 *   S to_submit wait hex hex ...              submit; -1 = all, wait -1 = no GETEVENTS
 *   W n | A | Z us | C fd                     reap n, reap all, sleep, close
 * Output: one line per step, then "F fd size pos" and "B addr size"; contents go to DIR/f<fd> and DIR/b<addr>.
 * Exit code 3: this kernel gives no io_uring.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_ITEMS 64
#define HANG_NS 2000000000LL
/* Without a CQE for so long nothing more comes, where whatever runs can be seen running; a disk's work cannot be seen. */
#define QUIET_NS 250000000LL
#define DISK_NS HANG_NS
/* Between two looks. */
#define LOOK_NS 50000000LL
/* What is left between two steps when everything was taken: workers have gone to sleep. */
#define REST_US 50000
/* Timers that are longer are not waited for. */
#define LONGEST_TIMER_NS 30000000000LL
/* CQEs of one step, from which on a timer that repeats for ever makes it hang. */
#define ENDLESS 100

static struct io_uring_params params;
static int ring_fd = -1;
static unsigned char *sq_ring, *cq_ring;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;
static unsigned sq_queued;
static char line[1 << 20];
static const char *dir;

static struct { int fd, rfd; char kind; int fixed; long size; unsigned sum; } files[MAX_ITEMS];
static struct { unsigned long addr; long size; int fixed; } buffers[MAX_ITEMS];
static int nr_files, nr_buffers;

static void die(const char *what)
{
	fprintf(stderr, "run_ring: %s: %s\n", what, strerror(errno));
	exit(2);
}

static unsigned *word(unsigned char *base, unsigned off)
{
	return (unsigned *)(base + off);
}

static unsigned load(unsigned *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pattern(unsigned char *p, long n, unsigned sum)
{
	for (long i = 0; i < n; i++)
		p[i] = (unsigned char)(i % 251 + sum);
}

static void put_all(int fd, unsigned sum, long n)
{
	unsigned char *bytes = malloc(n ? n : 1);
	pattern(bytes, n, sum);
	for (long done = 0; done < n;) {
		long w = write(fd, bytes + done, n - done);
		if (w <= 0)
			die("write initial contents");
		done += w;
	}
	free(bytes);
}

static void move_fd(int fd, int to)
{
	if (fd == to)
		return;
	if (dup2(fd, to) < 0)
		die("dup2");
	close(fd);
}

static void add_file(const char *args)
{
	int fd, cached, oflags, fixed;
	char kind, path[4096];
	long size;
	unsigned sum;
	if (sscanf(args, "%d %c %ld %d %d %d %u", &fd, &kind, &size, &cached, &oflags, &fixed, &sum) != 7)
		die("bad F line");
	if (kind == 'f') {
		snprintf(path, sizeof path, "%s/file%d", dir, fd);
		int w = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (w < 0)
			die(path);
		put_all(w, sum, size);
		fsync(w);
		if (!cached)
			posix_fadvise(w, 0, 0, POSIX_FADV_DONTNEED);
		close(w);
	} else
		snprintf(path, sizeof path, "/dev/%s", kind == 'n' ? "null" : kind == 'z' ? "zero" : "full");
	int got = open(path, oflags);
	if (got < 0)
		die(path);
	move_fd(got, fd);
	files[nr_files].fd = fd;
	files[nr_files].rfd = -1;
	files[nr_files].kind = kind;
	files[nr_files++].fixed = fixed;
}

static void add_pipe(const char *args)
{
	int rfd, wfd, nonblock, fixed, ends[2];
	long size, fill;
	unsigned sum;
	if (sscanf(args, "%d %d %ld %ld %d %d %u", &rfd, &wfd, &size, &fill, &nonblock, &fixed, &sum) != 7)
		die("bad P line");
	if (pipe2(ends, nonblock ? O_NONBLOCK : 0))
		die("pipe2");
	if (fcntl(ends[1], F_SETPIPE_SZ, size) < 0)
		die("F_SETPIPE_SZ");
	if (fill)
		put_all(ends[1], sum, fill);
	move_fd(ends[1], wfd);
	move_fd(ends[0], rfd);
	files[nr_files].fd = wfd;
	files[nr_files].rfd = rfd;
	files[nr_files].kind = 'p';
	files[nr_files++].fixed = fixed;
}

static void *map_at(unsigned long addr, long size)
{
	void *p = mmap((void *)addr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != (void *)addr)
		die("mmap");
	return p;
}

static unsigned from_hex(const char *hex, unsigned char *out)
{
	unsigned n = 0, byte;
	while (sscanf(hex + 2 * n, "%2x", &byte) == 1)
		out[n++] = byte;
	return n;
}

static int enter(unsigned to_submit, unsigned min, unsigned flags, long long timeout_ns)
{
	struct __kernel_timespec ts = { timeout_ns / 1000000000LL, timeout_ns % 1000000000LL };
	struct io_uring_getevents_arg arg = { .ts = (unsigned long)&ts };
	if (flags & IORING_ENTER_GETEVENTS)
		return syscall(__NR_io_uring_enter, ring_fd, to_submit, min, flags | IORING_ENTER_EXT_ARG, &arg, sizeof arg);
	return syscall(__NR_io_uring_enter, ring_fd, to_submit, min, flags, NULL, 0);
}

static unsigned ready(void)
{
	return load(word(cq_ring, params.cq_off.tail)) - *word(cq_ring, params.cq_off.head);
}

static int overflowed(void)
{
	return (load(word(sq_ring, params.sq_off.flags)) & IORING_SQ_CQ_OVERFLOW) != 0;
}

/* A request that was given to the kernel and has not posted its last CQE. */
struct request {
	unsigned long long user_data;
	/* Number among all SQEs, and of the one that it is linked to, or -1. */
	long nr, linked;
	unsigned char opcode, flags;
	/* Its file is a regular one. */
	int disk;
	/* Of a timer: how long it takes, ns. */
	long long ns;
};
static struct request *waiting;
static long nr_waiting, room_waiting, nr_filled;
/* SQEs that lie in the SQ. */
static struct request *queued;
static long nr_in_sq, room_queued;
/* When something was submitted or taken last. */
static long long last_news;

static void append(struct request **list, long *nr, long *room, struct request one)
{
	if (*nr == *room) {
		*room = *room ? *room * 2 : 64;
		*list = realloc(*list, *room * sizeof **list);
		if (!*list)
			die("out of memory");
	}
	(*list)[(*nr)++] = one;
}

static int is_disk(const struct io_uring_sqe *sqe, int fd, int fixed)
{
	int index = 0;
	for (int i = 0; i < nr_files; i++) {
		if (fixed && files[i].fixed < 0)
			continue;
		int mine = fixed ? index + (files[i].rfd >= 0) : files[i].fd;
		if (files[i].kind == 'f' && mine == fd && sqe->opcode != IORING_OP_POLL_ADD)
			return 1;
		index += files[i].rfd >= 0 ? 2 : 1;
	}
	return 0;
}

/* Notes an SQE that is put into the SQ. */
static void note(const struct io_uring_sqe *sqe)
{
	struct request one = { .user_data = sqe->user_data, .nr = nr_filled++, .linked = -1, .opcode = sqe->opcode, .flags = sqe->flags };
	int timer = sqe->opcode == IORING_OP_TIMEOUT || sqe->opcode == IORING_OP_LINK_TIMEOUT;
	if (timer && sqe->addr) {
		struct __kernel_timespec *ts = (void *)(unsigned long)sqe->addr;
		one.ns = ts->tv_sec > 1000 ? LONGEST_TIMER_NS + 1 : ts->tv_sec * 1000000000LL + ts->tv_nsec;
	}
	one.disk = is_disk(sqe, sqe->fd, sqe->flags & IOSQE_FIXED_FILE);
	if (sqe->opcode == IORING_OP_SPLICE)
		one.disk |= is_disk(sqe, sqe->splice_fd_in, sqe->splice_flags & SPLICE_F_FD_IN_FIXED);
	append(&queued, &nr_in_sq, &room_queued, one);
}

/* Moves what the kernel took from the SQ to the requests that it works on; a chain ends with its submit. */
static void note_taken(void)
{
	long left = *word(sq_ring, params.sq_off.tail) - load(word(sq_ring, params.sq_off.head));
	long n = nr_in_sq - left, linked = -1;
	for (long k = 0; k < n; k++) {
		queued[k].linked = linked;
		linked = queued[k].flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK) ? queued[k].nr : -1;
		append(&waiting, &nr_waiting, &room_waiting, queued[k]);
	}
	if (n > 0) {
		memmove(queued, queued + n, left * sizeof *queued);
		nr_in_sq = left;
		last_news = now();
	}
}

static void note_cqe(const struct io_uring_cqe *cqe)
{
	last_news = now();
	if (cqe->flags & IORING_CQE_F_MORE)
		return;
	note_taken();
	for (long i = 0; i < nr_waiting; i++)
		if (waiting[i].user_data == cqe->user_data) {
			memmove(waiting + i, waiting + i + 1, (--nr_waiting - i) * sizeof *waiting);
			return;
		}
}

static struct request *find_waiting(long nr)
{
	for (long i = 0; i < nr_waiting; i++)
		if (waiting[i].nr == nr)
			return &waiting[i];
	return NULL;
}

/* Whether a request waits for another one: it is linked to it, or one of both drains. */
static int is_held(struct request *one)
{
	if (one->linked >= 0) {
		struct request *before = find_waiting(one->linked);
		if (before && !(before->flags & IOSQE_CQE_SKIP_SUCCESS) && (one->opcode != IORING_OP_LINK_TIMEOUT || is_held(before)))
			return 1;
	}
	int drains = one->flags & IOSQE_IO_DRAIN, earlier = 0;
	for (long i = 0; i < nr_waiting && waiting[i].nr < one->nr; i++) {
		if (waiting[i].flags & IOSQE_CQE_SKIP_SUCCESS)
			continue;
		earlier = 1;
		drains |= waiting[i].flags & IOSQE_IO_DRAIN;
	}
	return earlier && drains && one->linked < 0;
}

/* How long there has to be no news until nothing more comes by itself, ns. */
static long long patience(void)
{
	long long most = params.flags & IORING_SETUP_SQPOLL ? DISK_NS : QUIET_NS;
	for (long i = 0; i < nr_waiting; i++) {
		struct request *one = &waiting[i];
		if (is_held(one))
			continue;
		long long ns = one->disk ? DISK_NS : one->ns > 0 && one->ns <= LONGEST_TIMER_NS ? one->ns + DISK_NS : 0;
		if (ns > most)
			most = ns;
	}
	return most;
}

/* Whether a worker of the ring runs, waits for a disk or a lock, or did so since the last look. */
static int workers_busy(void)
{
	static unsigned long long before;
	unsigned long long sum = 0, ran;
	char path[320], text[512], *state;
	int busy = 0;
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *task; tasks && (task = readdir(tasks));) {
		snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
		FILE *file = fopen(path, "r");
		size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
		if (file)
			fclose(file);
		text[n] = 0;
		if (!strstr(text, "(iou-wrk") || !(state = strrchr(text, ')')))
			continue;
		busy |= state[2] == 'R' || state[2] == 'D';
		snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task->d_name);
		if ((file = fopen(path, "r"))) {
			if (fscanf(file, "%llu", &ran) == 1)
				sum += ran;
			fclose(file);
		}
	}
	if (tasks)
		closedir(tasks);
	busy |= sum != before;
	before = sum;
	return busy;
}

static unsigned take(unsigned most)
{
	unsigned *head = word(cq_ring, params.cq_off.head), n = 0;
	while (n < most && ready()) {
		struct io_uring_cqe *cqe = &cqes[*head & (params.cq_entries - 1)];
		printf(" %llu:%d:%u", (unsigned long long)cqe->user_data, cqe->res, cqe->flags);
		note_cqe(cqe);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		n++;
	}
	return n;
}

static void start_ring(const char *args)
{
	unsigned entries, cq, setup;
	if (sscanf(args, "%u %u %u", &entries, &cq, &setup) != 3)
		die("bad R line");
	params.flags = setup | (cq ? IORING_SETUP_CQSIZE : 0);
	params.cq_entries = cq;
	params.sq_thread_idle = 1000;
	ring_fd = syscall(__NR_io_uring_setup, entries, &params);
	if (ring_fd < 0) {
		fprintf(stderr, "run_ring: io_uring_setup: %s\n", strerror(errno));
		exit(errno == ENOSYS || errno == EPERM ? 3 : 2);
	}
	size_t sq = params.sq_off.array + params.sq_entries * 4, cqs = params.cq_off.cqes + params.cq_entries * sizeof *cqes;
	sq_ring = mmap(0, sq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_fd, IORING_OFF_SQ_RING);
	cq_ring = mmap(0, cqs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_fd, IORING_OFF_CQ_RING);
	sqes = mmap(0, params.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_fd, IORING_OFF_SQES);
	if (sq_ring == MAP_FAILED || cq_ring == MAP_FAILED || sqes == MAP_FAILED)
		die("mmap of the ring");
	cqes = (void *)(cq_ring + params.cq_off.cqes);
}

static void register_all(void)
{
	int table[MAX_ITEMS * 2], nr = 0;
	struct iovec iov[MAX_ITEMS];
	int bufs = 0;
	for (int i = 0; i < nr_files; i++) {
		if (files[i].fixed < 0)
			continue;
		if (files[i].rfd >= 0)
			table[nr++] = files[i].rfd;
		table[nr++] = files[i].fd;
	}
	for (int i = 0; i < nr_buffers; i++)
		if (buffers[i].fixed) {
			iov[bufs].iov_base = (void *)buffers[i].addr;
			iov[bufs++].iov_len = buffers[i].size;
		}
	if (nr && syscall(__NR_io_uring_register, ring_fd, IORING_REGISTER_FILES, table, nr) < 0)
		die("register files");
	if (bufs && syscall(__NR_io_uring_register, ring_fd, IORING_REGISTER_BUFFERS, iov, bufs) < 0)
		die("register buffers");
}

/* One step, decoded before the first one runs so that nothing but system calls lies between them. */
static struct step {
	char kind;
	long long a, b;
	unsigned nr;
	struct io_uring_sqe *sqes;
} steps[4096];
static int nr_steps;
static int repeats_for_ever;

static void add_step(char kind, char *args)
{
	struct step *step = &steps[nr_steps++];
	int used;
	step->kind = kind;
	if (kind != 'S') {
		step->a = strtoll(args, NULL, 10);
		return;
	}
	if (sscanf(args, "%lld %lld %n", &step->a, &step->b, &used) < 2)
		die("bad S line");
	step->sqes = calloc(strlen(args) / 128 + 1, sizeof *step->sqes);
	for (char *hex = strtok(args + used, " \n"); hex; hex = strtok(NULL, " \n"))
	{
		struct io_uring_sqe *sqe = &step->sqes[step->nr++];
		from_hex(hex, (unsigned char *)sqe);
		if (sqe->opcode == IORING_OP_TIMEOUT && (sqe->timeout_flags & (1u << 6)) && (unsigned)sqe->off == 0)
			repeats_for_ever = 1;
	}
}

/* Returns 1 when the step hangs. */
static int do_submit(struct step *step)
{
	long long to = step->a, wait = step->b;
	unsigned *tail = word(sq_ring, params.sq_off.tail), *array = word(sq_ring, params.sq_off.array);
	unsigned t = *tail;
	for (unsigned k = 0; k < step->nr; k++) {
		unsigned i = t++ & (params.sq_entries - 1);
		sqes[i] = step->sqes[k];
		note(&sqes[i]);
		array[i] = i;
		sq_queued++;
	}
	__atomic_store_n(tail, t, __ATOMIC_RELEASE);
	unsigned nr = to < 0 ? sq_queued : (unsigned)to, flags = wait < 0 ? 0 : IORING_ENTER_GETEVENTS;
	if (params.flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (load(word(sq_ring, params.sq_off.flags)) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	long long start = now();
	int ret = enter(nr, wait < 0 ? 0 : wait, flags, HANG_NS);
	if (ret < 0)
		ret = -errno;
	else
		sq_queued -= (unsigned)ret < sq_queued ? ret : sq_queued;
	note_taken();
	printf("S %d %d", ret, overflowed());
	if (wait >= 0 && now() - start >= HANG_NS - 1000000) {
		printf(" hang");
		take(~0u);
		printf("\n");
		return 1;
	}
	printf("\n");
	return 0;
}

static int reap(unsigned n)
{
	long long start = now();
	printf("W");
	n -= take(n);
	while (n) {
		long long left = HANG_NS - (now() - start);
		if (left <= 0) {
			printf(" hang\n");
			return 1;
		}
		enter(0, n, IORING_ENTER_GETEVENTS, left);
		n -= take(n);
	}
	printf("\n");
	return 0;
}

/* Takes and waits until nothing more can complete by itself. Returns 1 when CQEs come without end. */
static int reap_all(int last)
{
	unsigned n = 0;
	last_news = now();
	printf("W");
	for (;;) {
		n += take(repeats_for_ever ? ENDLESS - n : ~0u);
		if (repeats_for_ever && n >= ENDLESS) {
			printf(" hang\n");
			return 1;
		}
		note_taken();
		if (!nr_waiting && !overflowed() && (!nr_in_sq || !(params.flags & IORING_SETUP_SQPOLL)))
			break;
		enter(0, 1, IORING_ENTER_GETEVENTS, LOOK_NS);
		if (ready() || overflowed())
			continue;
		if (workers_busy())
			last_news = now();
		else if (now() - last_news >= patience())
			break;
	}
	printf("\n");
	if (!last)
		usleep(REST_US);
	return 0;
}

static void dump(const char *name, const void *bytes, size_t size)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		die(path);
	close(fd);
}

static void finish(void)
{
	char name[64];
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	setrlimit(RLIMIT_FSIZE, &unlimited);
	for (int i = 0; i < nr_files; i++) {
		if (files[i].kind == 'f') {
			struct stat st;
			char path[4096];
			snprintf(path, sizeof path, "%s/file%d", dir, files[i].fd);
			if (stat(path, &st))
				die(path);
			long pos = lseek(files[i].fd, 0, SEEK_CUR);
			printf("F %d %ld %ld\n", files[i].fd, (long)st.st_size, pos < 0 ? 0 : pos);
		} else if (files[i].kind == 'p' && fcntl(files[i].rfd, F_GETFD) >= 0) {
			/* tee leaves the bytes where they are, so that nobody who waits for room goes on. */
			static unsigned char all[1 << 20];
			int copy[2];
			long n = 0, r;
			if (pipe2(copy, O_NONBLOCK))
				die("pipe2");
			fcntl(copy[1], F_SETPIPE_SZ, 1 << 20);
			if (tee(files[i].rfd, copy[1], sizeof all, SPLICE_F_NONBLOCK) > 0)
				while ((r = read(copy[0], all + n, sizeof all - n)) > 0)
					n += r;
			snprintf(name, sizeof name, "pipe%d", files[i].rfd);
			dump(name, all, n);
			printf("F %d %ld 0\n", files[i].rfd, n);
		}
	}
	for (int i = 0; i < nr_buffers; i++) {
		snprintf(name, sizeof name, "buf%lx", buffers[i].addr);
		dump(name, (void *)buffers[i].addr, buffers[i].size);
	}
	printf("E %u %u\n", *word(cq_ring, params.cq_off.overflow), *word(sq_ring, params.sq_off.dropped));
	fflush(stdout);
	_exit(0);
}

static void run_steps(void)
{
	for (int i = 0; i < nr_steps; i++) {
		struct step *step = &steps[i];
		switch (step->kind) {
		case 'S':
			if (do_submit(step))
				return;
			break;
		case 'W':
			if (reap(step->a))
				return;
			break;
		case 'A':
			if (reap_all(i == nr_steps - 1))
				return;
			break;
		case 'Z':
			usleep(step->a);
			printf("-\n");
			break;
		case 'C':
			close(step->a);
			printf("-\n");
			break;
		}
	}
}

int main(int argc, char **argv)
{
	char setup[64] = "";
	long long fsize = -1;
	if (argc != 2)
		die("needs a directory");
	dir = argv[1];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	static char out[1 << 20];
	setvbuf(stdout, out, _IOFBF, sizeof out);
	while (fgets(line, sizeof line, stdin)) {
		char *args = line + 1;
		switch (line[0]) {
		case 'R': {
			unsigned e, c, s;
			if (sscanf(args, "%u %u %u %lld", &e, &c, &s, &fsize) != 4)
				die("bad R line");
			snprintf(setup, sizeof setup, "%u %u %u", e, c, s);
			break;
		}
		case 'F':
			add_file(args);
			break;
		case 'P':
			add_pipe(args);
			break;
		case 'B': {
			unsigned sum;
			if (sscanf(args, "%lu %ld %d %u", &buffers[nr_buffers].addr, &buffers[nr_buffers].size,
				   &buffers[nr_buffers].fixed, &sum) != 4)
				die("bad B line");
			pattern(map_at(buffers[nr_buffers].addr, (buffers[nr_buffers].size + 4095) & ~4095L),
				buffers[nr_buffers].size, sum);
			nr_buffers++;
			break;
		}
		case 'M': {
			unsigned long addr;
			int used;
			if (sscanf(args, "%lu %n", &addr, &used) < 1)
				die("bad M line");
			from_hex(args + used, map_at(addr, 4096));
			break;
		}
		default:
			add_step(line[0], args);
		}
	}
	start_ring(setup);
	register_all();
	if (fsize >= 0) {
		struct rlimit limit = { fsize, RLIM_INFINITY };
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	run_steps();
	finish();
}
