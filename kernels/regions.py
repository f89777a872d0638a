"""The compiled half of the thread pool (`pool.py` is the other): how threads share the chunks of a region.

A region is one call of `parallel(row, args, total, grain)`: the tasks [0, total) are cut into chunks of
`grain`, and each is executed once, by whoever claims it first. This is LLVM IR and not numba, because atomic
operations, addresses of functions and a control block that all of them share are plain words there; because
it is ready in 20 ms without importing numba; and because workers are then threads that Python does not know:
no interpreter lock, no thread state, nothing to stop when the interpreter exits. In C-like words:

    parallel:  if total <= grain, or there is one thread, or busy 0 -> 1 fails (other caller, nested call):
                   run the chunks here, in order
               else: write job; unfinished = left = chunks; rouse workers that sleep or are missing;
                   work; wait until unfinished == 0; busy = 0
    work:      while left-- > 0: run a chunk: the caller the first it has not run, workers the last they have not
               unfinished -= chunks run here, and whoever makes it 0 calls the waiting caller
    worker:    look for left > 0, for a while, and work; then park; when called, look again     (workers.py)

Why it is right. A claim is one atomic decrement of `left`, and only a value above 0 counts. Whoever has
claimed a chunk and not yet reported it keeps `unfinished` above 0, hence the region open, hence `job`
unchanged: a worker that comes late reads the job of the very region whose chunk it holds, or gets no chunk.

Why from both ends. With two threads each has the same part of every region, as far as they keep pace: what a row reads
is in the cache of the core that wrote it. As many chunks are run from the two ends as were claimed, so none is run twice.

Memory order. `left` is stored with release and decremented with acquire: rows see what the caller wrote.
`unfinished` is decremented with release and read with acquire: the caller, and through it the next region's
rows, see what rows wrote. Where a thread may park, both are sequentially consistent: a worker says "I sleep"
and then looks at `left`, the caller stores `left` and then looks for sleepers, so at least one of them sees
the other, and as a call is made under the mutex, it is not lost. `waiting` and `unfinished` are the same with
the roles exchanged. What is monotonic carries no data with it, or is written under the mutex.
"""

from __future__ import annotations

import ctypes
import platform

from . import store, workers

# The control block. Each word has a pair of cache lines for itself (processors fetch pairs): writing one does
# not disturb a thread that polls another.
_BLOCK = """
; word                                                written by     meaning
@pool.busy       = internal global i64 0, align 128  ; callers        1: a region or a walk owns the pool
@pool.job        = internal global [5 x i64] zeroinitializer, align 128 ; row, args, total, grain, chunks
@pool.left       = internal global i64 0, align 128  ; caller, work   chunks not yet claimed, if above 0
@pool.back       = internal global i64 0, align 128  ; caller, work   chunks that workers have claimed
@pool.unfinished = internal global i64 0, align 128  ; caller, work   chunks not yet executed
@pool.walking    = internal global i64 0, align 128  ; caller         1: the next region is close, stay up
@pool.waiting    = internal global i64 0, align 128  ; caller         1: parked until unfinished is 0
@pool.spin       = internal global i64 0, align 128  ; resize         looks before parking
; under the mutex:
@pool.threads    = internal global i64 1, align 128  ; resize, rouse  who takes part, the caller included
@pool.alive      = internal global i64 0, align 128  ; rouse, park    workers that exist
@pool.sleepers   = internal global i64 0, align 128  ; rouse, park    parked workers that were not called
@pool.permits    = internal global i64 0, align 128  ; rouse, park    parked workers called and not yet up
@pool.home       = internal global i32 -1, align 128 ; settle         core that the workers keep off
@pool.team       = internal global [1023 x i64] zeroinitializer, align 128 ; pthread_t of each worker, or 0
; room for any platform's pthread_mutex_t and pthread_cond_t:
@pool.mutex      = internal global [16 x i64] zeroinitializer, align 128
@pool.called     = internal global [16 x i64] zeroinitializer, align 128 ; condition: permits > 0
@pool.over       = internal global [16 x i64] zeroinitializer, align 128 ; condition: unfinished == 0

declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
"""

_REGION = """
define void @pool.parallel(i64 %row, i64 %args, i64 %total, i64 %grain) {
  %wide = icmp sgt i64 %total, %grain
  br i1 %wide, label %ask, label %alone
ask:
  %ours = call i1 @pool.enter()
  br i1 %ours, label %shared, label %alone
shared:
  call void @pool.run(i64 %row, i64 %args, i64 %total, i64 %grain, i1 true)
  store atomic i64 0, ptr @pool.busy release, align 8
  ret void
alone:
  call void @pool.run(i64 %row, i64 %args, i64 %total, i64 %grain, i1 false)
  ret void
}

define i64 @pool.walk(i64 %table, i64 %count, i64 %way) { ; table: count times row, args, total, grain; way 1: alone
entry:
  %may_share = icmp eq i64 %way, 0
  br i1 %may_share, label %ask, label %next
ask:
  %entered = call i1 @pool.enter()
  br i1 %entered, label %begin, label %next
begin:
  store atomic i64 1, ptr @pool.walking monotonic, align 8
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ 0, %ask ], [ 0, %begin ], [ %k1, %check ], [ %k1, %work ]
  %ours = phi i1 [ false, %entry ], [ false, %ask ], [ true, %begin ], [ %ours, %check ], [ %ours, %work ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %step, label %end
step:
  %first = inttoptr i64 %table to ptr
  %row_at = getelementptr [4 x i64], ptr %first, i64 %k, i64 0
  %args_at = getelementptr [4 x i64], ptr %first, i64 %k, i64 1
  %total_at = getelementptr [4 x i64], ptr %first, i64 %k, i64 2
  %grain_at = getelementptr [4 x i64], ptr %first, i64 %k, i64 3
  %row = load i64, ptr %row_at
  %args = load i64, ptr %args_at
  %total = load i64, ptr %total_at
  %grain = load i64, ptr %grain_at
  %k1 = add i64 %k, 1
  %is_check = icmp eq i64 %row, 0
  br i1 %is_check, label %check, label %work
check:                                                    ; no row: args is where a byte tells of bad input
  %flag_at = inttoptr i64 %args to ptr
  %flag = load i8, ptr %flag_at
  %bad = icmp ne i8 %flag, 0
  br i1 %bad, label %end, label %next
work:
  call void @pool.run(i64 %row, i64 %args, i64 %total, i64 %grain, i1 %ours)
  br label %next
end:                                                      ; %k rows are done: all, or those before a bad check
  br i1 %ours, label %leave, label %done
leave:
  store atomic i64 0, ptr @pool.walking monotonic, align 8
  store atomic i64 0, ptr @pool.busy release, align 8
  br label %done
done:
  ret i64 %k
}

define private i1 @pool.enter() {                         ; true: the pool is ours until busy is 0 again
  %threads = load atomic i64, ptr @pool.threads monotonic, align 8
  %several = icmp sgt i64 %threads, 1
  br i1 %several, label %try, label %no
try:
  %tried = cmpxchg ptr @pool.busy, i64 0, i64 1 acquire monotonic
  %ours = extractvalue { i64, i1 } %tried, 1
  ret i1 %ours
no:
  ret i1 false
}

define private void @pool.run(i64 %row, i64 %args, i64 %total, i64 %grain, i1 %shared) {
entry:
  %code = inttoptr i64 %row to ptr
  %step = call i64 @llvm.smax.i64(i64 %grain, i64 1)
  %wide = icmp sgt i64 %total, %step
  %split = and i1 %wide, %shared
  br i1 %split, label %region, label %next
region:
  %last = sub i64 %total, 1                               ; chunks = ceil(total / step), without overflow
  %before = sdiv i64 %last, %step
  %chunks = add i64 %before, 1
  call void @pool.region(i64 %row, i64 %args, i64 %total, i64 %step, i64 %chunks)
  ret void
next:                                                     ; alone: the same chunks, in order
  %lo = phi i64 [ 0, %entry ], [ %hi, %chunk ]
  %more = icmp slt i64 %lo, %total
  br i1 %more, label %chunk, label %done
chunk:
  %rest = sub i64 %total, %lo
  %size = call i64 @llvm.smin.i64(i64 %step, i64 %rest)
  %hi = add i64 %lo, %size
  call void %code(i64 %args, i64 %lo, i64 %hi)
  br label %next
done:
  ret void
}

define private void @pool.region(i64 %row, i64 %args, i64 %total, i64 %grain, i64 %chunks) {
  store i64 %row, ptr @pool.job
  store i64 %args, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 1)
  store i64 %total, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 2)
  store i64 %grain, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 3)
  store i64 %chunks, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 4)
  store atomic i64 0, ptr @pool.back monotonic, align 8
  store atomic i64 %chunks, ptr @pool.unfinished monotonic, align 8
  store atomic i64 %chunks, ptr @pool.left seq_cst, align 8            ; the region is open
  %asleep = load atomic i64, ptr @pool.sleepers seq_cst, align 8
  %alive = load atomic i64, ptr @pool.alive monotonic, align 8
  %threads = load atomic i64, ptr @pool.threads monotonic, align 8
  %present = add i64 %alive, 1
  %short = icmp slt i64 %present, %threads
  %some = icmp sgt i64 %asleep, 0
  %needed = or i1 %short, %some
  br i1 %needed, label %rouse, label %work
rouse:
  %others = sub i64 %chunks, 1
  call void @pool.rouse(i64 %others)
  br label %work
work:
  call void @pool.work(i1 true)
  %tries = load atomic i64, ptr @pool.spin monotonic, align 8
  br label %look
look:                                                     ; others may still be executing their last chunk
  %try = phi i64 [ %tries, %work ], [ %fewer, %again ]
  %unfinished = load atomic i64, ptr @pool.unfinished acquire, align 8
  %over = icmp eq i64 %unfinished, 0
  br i1 %over, label %done, label %not_over
not_over:
  %patient = icmp sgt i64 %try, 0
  br i1 %patient, label %again, label %park
again:
  PAUSE
  %fewer = sub i64 %try, 1
  br label %look
park:
  call i32 @pthread_mutex_lock(ptr @pool.mutex)
  store atomic i64 1, ptr @pool.waiting seq_cst, align 8
  br label %check
check:
  %still = load atomic i64, ptr @pool.unfinished seq_cst, align 8
  %ended = icmp eq i64 %still, 0
  br i1 %ended, label %rise, label %sleep
sleep:
  call i32 @pthread_cond_wait(ptr @pool.over, ptr @pool.mutex)
  br label %check
rise:
  store atomic i64 0, ptr @pool.waiting monotonic, align 8
  call i32 @pthread_mutex_unlock(ptr @pool.mutex)
  br label %done
done:
  ret void
}

define private void @pool.work(i1 %caller) {              ; claim and run chunks until none is left
entry:
  br label %claim
claim:
  %count = phi i64 [ 0, %entry ], [ %count1, %chunk ]
  %left = atomicrmw sub ptr @pool.left, i64 1 acquire
  %mine = icmp sgt i64 %left, 0
  br i1 %mine, label %claimed, label %none
claimed:
  br i1 %caller, label %chunk, label %behind
behind:
  %taken = atomicrmw add ptr @pool.back, i64 1 monotonic
  br label %chunk
chunk:
  %before_it = phi i64 [ %count, %claimed ], [ %taken, %behind ]
  %row = load ptr, ptr @pool.job
  %args = load i64, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 1)
  %total = load i64, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 2)
  %grain = load i64, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 3)
  %chunks = load i64, ptr getelementptr ([5 x i64], ptr @pool.job, i64 0, i64 4)
  %from_end = sub i64 %chunks, %before_it
  %from_end1 = sub i64 %from_end, 1
  %k = select i1 %caller, i64 %before_it, i64 %from_end1
  %lo = mul i64 %k, %grain
  %rest = sub i64 %total, %lo
  %size = call i64 @llvm.smin.i64(i64 %grain, i64 %rest)
  %hi = add i64 %lo, %size
  call void %row(i64 %args, i64 %lo, i64 %hi)
  %count1 = add i64 %count, 1
  br label %claim
none:
  %worked = icmp sgt i64 %count, 0
  br i1 %worked, label %report, label %done
report:
  %before = atomicrmw sub ptr @pool.unfinished, i64 %count seq_cst
  %last = icmp eq i64 %before, %count
  br i1 %last, label %finished, label %done
finished:
  %waiting = load atomic i64, ptr @pool.waiting seq_cst, align 8
  %parked = icmp ne i64 %waiting, 0
  br i1 %parked, label %call, label %done
call:
  call i32 @pthread_mutex_lock(ptr @pool.mutex)
  call i32 @pthread_mutex_unlock(ptr @pool.mutex)
  call i32 @pthread_cond_signal(ptr @pool.over)
  br label %done
done:
  ret void
}
"""

# What a polling thread tells its core: without it the core's other hardware thread is slowed down.
_PAUSE = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}
_SAME = {"amd64": "x86_64", "arm64": "aarch64"}


class Compiled:
    """The compiled pool of this process: the C addresses `parallel` and `walk`, and calls for `pool.py`."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        for name, address in workers.symbols().items():
            llvm.add_symbol(name, address)
        engine = store.add_module(source())
        self.parallel: int = engine.get_function_address("pool.parallel")
        self.walk: int = engine.get_function_address("pool.walk")
        self._threaded = workers.possible()
        self._reset = ctypes.CFUNCTYPE(None)(engine.get_function_address("pool.reset"))
        two = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)
        self._resize = two(engine.get_function_address("pool.resize"))
        members = ctypes.CFUNCTYPE(ctypes.c_void_p)(engine.get_function_address("pool.members"))
        self._team = (ctypes.c_int64 * workers.MOST).from_address(members())
        self._nothing: int = engine.get_function_address("pool.nothing")
        self.reset()

    def start(self, threads: int) -> list[int]:
        """Bring the workers up; gives the pthread_t of each."""
        four = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
        four(self.parallel)(self._nothing, 0, threads, 1)
        return [member for member in self._team[: threads - 1] if member]

    def reset(self) -> None:
        """Forget all workers, and all that was going on. For a process that has one thread."""
        if self._threaded:
            self._reset()

    def resize(self, threads: int, spin: int) -> None:
        """Let `threads` threads share a region, the caller included, and look `spin` times before they park.

        `spin` is 0 where there are more threads than cores.
        """
        if self._threaded:
            self._resize(min(threads, workers.MOST + 1), spin)


def source() -> str:
    """The whole module, for this machine."""
    machine = platform.machine().lower()
    declare, pause = _PAUSE.get(_SAME.get(machine, machine), ("", ""))
    return declare + (_BLOCK + _REGION + workers.source()).replace("PAUSE", pause)
