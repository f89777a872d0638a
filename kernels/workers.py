"""The workers of the thread pool: LLVM IR that starts, parks, calls and places them (`regions.py` first).

A worker looks for chunks; when it has looked `spin` times in vain, it parks. Parked workers are counted, not
named: `sleepers` have not been called, `permits` have been called and are not yet up, and the sum of the two
is the number of threads in `park`, however often the system wakes one for nothing. Worker m belongs to the
team while m + 1 < threads. One that does not leaves when it parks, or at once when it is parked; rousing
starts those that are missing."""

from __future__ import annotations

import ctypes
import signal

MOST = 1023  # the length of pool.team
_PTHREAD = (
    "pthread_create", "pthread_detach", "pthread_sigmask",
    "pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_unlock",
    "pthread_cond_init", "pthread_cond_wait", "pthread_cond_signal", "pthread_cond_broadcast",
)  # fmt: skip
_PLACING = ("sched_getcpu", "sched_getaffinity", "pthread_setaffinity_np")

_WORKER = """
@pool.signals = internal constant [16 x i64] [i64 SIGNALS, i64 0, i64 0, i64 0, i64 0, i64 0, i64 0, i64 0,
                                              i64 0, i64 0, i64 0, i64 0, i64 0, i64 0, i64 0, i64 0]
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(i64)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define private ptr @pool.worker(ptr %self) {             ; self: its place in the team
entry:
  call i32 @pthread_sigmask(i32 SIG_BLOCK, ptr @pool.signals, ptr null)
  br label %fresh
fresh:
  %spin = load atomic i64, ptr @pool.spin monotonic, align 8
  br label %look
look:
  %try = phi i64 [ %spin, %fresh ], [ %fewer, %again ]
  %left = load atomic i64, ptr @pool.left monotonic, align 8
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %work, label %nothing
work:
  call void @pool.work(i1 false)
  br label %fresh
nothing:
  %patient = icmp sgt i64 %try, 0
  br i1 %patient, label %again, label %tired
again:
  PAUSE
  %fewer = sub i64 %try, 1
  br label %look
tired:
  %walking = load atomic i64, ptr @pool.walking monotonic, align 8
  %soon = icmp ne i64 %walking, 0
  %may_spin = icmp sgt i64 %spin, 0
  %stay_up = and i1 %soon, %may_spin
  br i1 %stay_up, label %fresh, label %park
park:
  %called = call i1 @pool.park(ptr %self)
  br i1 %called, label %fresh, label %leave
leave:
  ret ptr null
}

define private i1 @pool.park(ptr %self) {                 ; sleep until called; false: one too many
entry:
  call i32 @pthread_mutex_lock(ptr @pool.mutex)
  %m = ptrtoint ptr %self to i64
  %m1 = add i64 %m, 1
  atomicrmw add ptr @pool.sleepers, i64 1 seq_cst
  %left = load atomic i64, ptr @pool.left seq_cst, align 8
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %quit, label %check
check:
  %threads = load atomic i64, ptr @pool.threads monotonic, align 8
  %belongs = icmp slt i64 %m1, %threads
  %permits = load i64, ptr @pool.permits
  %called = icmp sgt i64 %permits, 0
  br i1 %belongs, label %stay, label %leave
stay:
  br i1 %called, label %take, label %sleep
sleep:
  call i32 @pthread_cond_wait(ptr @pool.called, ptr @pool.mutex)
  br label %check
leave:
  %place = getelementptr i64, ptr @pool.team, i64 %m
  store i64 0, ptr %place
  %alive = load atomic i64, ptr @pool.alive monotonic, align 8
  %alive1 = sub i64 %alive, 1
  store atomic i64 %alive1, ptr @pool.alive monotonic, align 8
  %uncalled = load atomic i64, ptr @pool.sleepers monotonic, align 8
  %none = icmp eq i64 %uncalled, 0                        ; it was counted in one of the two
  br i1 %none, label %take, label %quit
quit:
  %up = phi i1 [ true, %entry ], [ false, %leave ]
  atomicrmw sub ptr @pool.sleepers, i64 1 seq_cst
  br label %end
take:
  %got = phi i1 [ true, %stay ], [ false, %leave ]
  %rest = sub i64 %permits, 1
  store i64 %rest, ptr @pool.permits
  br label %end
end:
  %result = phi i1 [ %up, %quit ], [ %got, %take ]
  call i32 @pthread_mutex_unlock(ptr @pool.mutex)
  ret i1 %result
}

define private void @pool.rouse(i64 %wanted) {            ; start who is missing, call up to `wanted` sleepers
entry:
  call i32 @pthread_mutex_lock(ptr @pool.mutex)
  br label %member
member:
  %m = phi i64 [ 0, %entry ], [ %m1, %present ], [ %m1, %started ]
  %m1 = add i64 %m, 1
  %threads = load atomic i64, ptr @pool.threads monotonic, align 8
  %belongs = icmp slt i64 %m1, %threads
  br i1 %belongs, label %seek, label %call
seek:
  %place = getelementptr i64, ptr @pool.team, i64 %m
  %id = load i64, ptr %place
  %absent = icmp eq i64 %id, 0
  br i1 %absent, label %start, label %present
present:
  br label %member
start:
  %self = inttoptr i64 %m to ptr
  %refused = call i32 @pthread_create(ptr %place, ptr null, ptr @pool.worker, ptr %self)
  %good = icmp eq i32 %refused, 0
  br i1 %good, label %started, label %refuse
started:
  %new = load i64, ptr %place
  call i32 @pthread_detach(i64 %new)
  %alive = load atomic i64, ptr @pool.alive monotonic, align 8
  %alive1 = add i64 %alive, 1
  store atomic i64 %alive1, ptr @pool.alive monotonic, align 8
  store i32 -1, ptr @pool.home                            ; it has no core yet
  br label %member
refuse:                                                   ; no more threads to be had: do with these
  store i64 0, ptr %place
  store atomic i64 %m1, ptr @pool.threads monotonic, align 8
  br label %call
call:
  call void @pool.settle()
  %asleep = load atomic i64, ptr @pool.sleepers monotonic, align 8
  %count = call i64 @llvm.smin.i64(i64 %wanted, i64 %asleep)
  %rest = sub i64 %asleep, %count
  store atomic i64 %rest, ptr @pool.sleepers seq_cst, align 8
  %permits = load i64, ptr @pool.permits
  %more = add i64 %permits, %count
  store i64 %more, ptr @pool.permits
  call i32 @pthread_mutex_unlock(ptr @pool.mutex)
  br label %next
next:                                                     ; the mutex is free for who gets up
  %k = phi i64 [ %count, %call ], [ %k1, %signal ]
  %any = icmp sgt i64 %k, 0
  br i1 %any, label %signal, label %done
signal:
  call i32 @pthread_cond_signal(ptr @pool.called)
  %k1 = sub i64 %k, 1
  br label %next
done:
  ret void
}

define ptr @pool.members() {
  ret ptr @pool.team
}

define void @pool.nothing(i64 %args, i64 %lo, i64 %hi) {  ; a row that only brings the workers up
  ret void
}

define void @pool.resize(i64 %threads, i64 %spin) {       ; and wake everybody: who is one too many leaves
  call i32 @pthread_mutex_lock(ptr @pool.mutex)
  store atomic i64 %threads, ptr @pool.threads monotonic, align 8
  store atomic i64 %spin, ptr @pool.spin monotonic, align 8
  call i32 @pthread_mutex_unlock(ptr @pool.mutex)
  call i32 @pthread_cond_broadcast(ptr @pool.called)
  ret void
}

define void @pool.reset() {                               ; at first, and in a forked child
  store i64 0, ptr @pool.busy
  store i64 0, ptr @pool.left
  store i64 0, ptr @pool.unfinished
  store i64 0, ptr @pool.walking
  store i64 0, ptr @pool.alive
  store i64 0, ptr @pool.sleepers
  store i64 0, ptr @pool.permits
  store i64 0, ptr @pool.waiting
  store i32 -1, ptr @pool.home
  call void @llvm.memset.p0.i64(ptr @pool.team, i8 0, i64 8184, i1 false)
  call i32 @pthread_mutex_init(ptr @pool.mutex, ptr null)
  call i32 @pthread_cond_init(ptr @pool.called, ptr null)
  call i32 @pthread_cond_init(ptr @pool.over, ptr null)
  ret void
}
"""

# Where the system allows it (Linux), workers are kept off the caller's core. Otherwise a worker that is woken
# is often put on the core of who wakes it, and stays: on a small machine that is busy, the scheduler does not
# look for an idle core. Measured on two cores, 0.1 to 2 ms after the last region: 100 us of work took 100 to
# 400 us (the worker spins before it parks, on the caller's core), and so it takes 51 to 88.
_SETTLE = """
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @pthread_setaffinity_np(i64, i64, ptr)

define private void @pool.settle() {                      ; under the mutex
entry:
  %mask = alloca [128 x i8], align 8
  %spin = load atomic i64, ptr @pool.spin monotonic, align 8
  %roomy = icmp sgt i64 %spin, 0                          ; else they need all the cores there are
  br i1 %roomy, label %ask, label %done
ask:
  %here = call i32 @sched_getcpu()
  %home = load i32, ptr @pool.home
  %moved = icmp ne i32 %here, %home
  br i1 %moved, label %read, label %done
read:
  store i32 %here, ptr @pool.home
  %failed = call i32 @sched_getaffinity(i32 0, i64 128, ptr %mask)
  %good = icmp eq i32 %failed, 0
  %fits = icmp ult i32 %here, 1024
  %known = and i1 %good, %fits
  br i1 %known, label %remove, label %done
remove:
  %byte = lshr i32 %here, 3
  %at = getelementptr i8, ptr %mask, i32 %byte
  %bits = load i8, ptr %at
  %number = trunc i32 %here to i8
  %within = and i8 %number, 7
  %bit = shl i8 1, %within
  %others = xor i8 %bit, -1
  %rest = and i8 %bits, %others
  store i8 %rest, ptr %at
  br label %next
next:
  %m = phi i64 [ 0, %remove ], [ %m1, %place ], [ %m1, %skip ]
  %m1 = add i64 %m, 1
  %threads = load atomic i64, ptr @pool.threads monotonic, align 8
  %belongs = icmp slt i64 %m1, %threads
  br i1 %belongs, label %skip, label %done
skip:
  %slot = getelementptr i64, ptr @pool.team, i64 %m
  %id = load i64, ptr %slot
  %absent = icmp eq i64 %id, 0
  br i1 %absent, label %next, label %place
place:
  call i32 @pthread_setaffinity_np(i64 %id, i64 128, ptr %mask)  ; refuses an empty mask
  br label %next
done:
  ret void
}
"""

_NOT_SETTLE = "define private void @pool.settle() { ret void }"


def possible() -> bool:
    """Whether this platform can have workers. Where it cannot, every region runs on its caller."""
    return all(address_of(name) for name in _PTHREAD)


def symbols() -> dict[str, int]:
    """Where the system's functions are. One that is missing is never called, but linking needs an address."""
    never = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value or 0
    return {name: address_of(name) or never for name in _PTHREAD + _PLACING}


def source() -> str:
    """The IR of the workers, for this platform."""
    # Workers take no signals, so that Ctrl-C always reaches a thread of Python's; except those that a fault
    # of their own raises, which faulthandler wants to see.
    faults = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP"}
    blocked = -1 - sum(1 << (number - 1) for number in signal.Signals if number.name in faults)
    settle = _SETTLE if all(address_of(name) for name in _PLACING) else _NOT_SETTLE
    words = {"SIGNALS": str(blocked), "SIG_BLOCK": str(int(getattr(signal, "SIG_BLOCK", 0)))}
    text = _WORKER
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text + settle


def address_of(name: str) -> int | None:
    """Where a function of the system is, if it has it."""
    try:
        return ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    except (AttributeError, OSError, TypeError):  # no such function, or (Windows) nowhere to look for it
        return None
