/* SPDX-License-Identifier: ISC */
/*
 * nvme.pml - a model of the NVMe driver's states: kernel/dev/nvme/nvme.h has
 * their diagram.  One controller with one queue, its thread (start, reset,
 * end), a program's request, the floor above that keeps what it is told to
 * wait for, detach() asked or because it has gone, and hardware that answers,
 * stops answering, refuses to stop, or vanishes at any moment.
 *
 * Checked over all interleavings: a request ends once; its memory is nobody
 * else's while the controller may write there; a request that was told to wait
 * is begun or ended; detach() ends; nobody waits for ever.
 *
 * -DNO_AGAIN, -DNO_ROOM, -DNO_NEWS, -DNO_SILENCE, -DNO_SHUT leave out one
 * rule each; tests/spin/run sees to it that each is then found wanting.
 */

mtype = { STARTING, LIVE, RESETTING, BROKEN, LEAVING };
mtype = { PAUSED, OPEN, SHUT };               /* the queue's door */
mtype = { NONE, WAITING, BUSY, RETRY, ENDED }; /* a request */

mtype state = STARTING;
mtype door = PAUSED;
mtype req = NONE;
byte ends;
bool starved;      /* somebody was told to wait */
bool silent = true; /* the controller was seen to stop */
bool stop, gone, thread_ended, departed;
bool arrived;      /* there is a disk */
bool leaving;      /* asked to go: what is under way may end */
bool freed;        /* the request's memory is somebody else's */
bool kept;         /* it is kept aside instead */

/* The hardware. */
bool present = true, running, knows;  /* knows: it has the command */
bool stops = true;                    /* does as CC.EN says */

inline end_req()
{
	req = ENDED;
	ends++;
	/* Its owner frees the memory. */
	if
	:: silent || !knows -> freed = true
#ifdef NO_SILENCE
	:: else -> freed = true
#else
	:: else -> kept = true
#endif
	fi
}

/* As nvme_io_submit(): under the queue's lock. */
inline submit()
{
	atomic {
		if
		:: door == SHUT -> end_req()
		:: door == PAUSED -> req = WAITING; starved = true
		:: door == OPEN -> req = BUSY; knows = running
		fi
	}
}

inline room()
{
	atomic {
		if
		:: starved && req == WAITING -> starved = false; submit()
		:: else -> starved = false
		fi
	}
}

/* nvme_silence(): bounded, so it always ends. */
inline silence()
{
	atomic {
		if
		:: !present -> silent = true /* nobody is there */
		:: present && stops -> running = false; knows = false;
			silent = true
		:: present && !stops -> silent = false
		fi
	}
}

/* What was under way: kept to be begun again, or ended. */
inline take_back(again)
{
	atomic {
		if
#ifndef NO_AGAIN
		:: req == BUSY && again -> req = RETRY
#else
		:: req == BUSY && again -> req = NONE
#endif
		:: req == BUSY && !again -> end_req()
		:: else
		fi
	}
}

inline start()
{
	if
	:: present && !stop && !gone ->
		atomic { silent = false; running = true }
		/* It answers to identify, or never does. */
		if
		:: present -> state = LIVE;
			atomic { if :: door != SHUT -> door = OPEN :: else fi }
		:: state = BROKEN
		fi
	:: else -> state = BROKEN
	fi
}

inline stop_all()
{
	if
	:: !silent -> silence()
	:: else
	fi;
#ifndef NO_SHUT
	door = SHUT;
#endif
	take_back(false);
	atomic { if :: req == RETRY -> end_req() :: else fi };
#ifndef NO_NEWS
	room()
#endif
}

/* nvme_ctrl.c: main_thread(). */
proctype thread()
{
	start();
	if
	:: state == LIVE -> arrived = true
	:: else
	fi;
	do
	:: stop || gone || state == BROKEN -> break
	:: leaving -> break /* its time is over */
	:: state == LIVE && req == RETRY ->
		atomic { if :: req == RETRY -> submit() :: else fi }
	:: state == LIVE && !stop -> /* a time-out, or somebody asks */
		state = RESETTING;
		atomic { if :: door != SHUT -> door = PAUSED :: else fi };
		silence();
		if
		:: silent ->
			take_back(true);
			state = STARTING;
			start();
			if
#ifndef NO_ROOM
			:: state == LIVE -> room()
#endif
			:: else
			fi
		:: else -> state = BROKEN
		fi;
		/* Nobody waits for room that is there. */
		assert(!(state == LIVE && door == OPEN && req == WAITING))
	od;
	stop_all();
	thread_ended = true
}

/* nvme_end(), once, by whoever takes the node away. */
proctype detach()
{
	if
	:: leaving = true; /* disk_leaving(): sleeps for what is under way */
		req == NONE || req == ENDED;
		stop = true
	:: atomic { gone = true; stop = true }
	:: state == BROKEN -> atomic { gone = true; stop = true }
	fi;
	thread_ended;
	state = LEAVING;
	stop_all();
	/* disk_depart(): what waits above ends; nobody comes any more. */
	atomic {
		if
		:: req == WAITING -> end_req()
		:: else
		fi;
		departed = true
	}
}

proctype program()
{
	arrived || departed;
	atomic {
		if
		:: !departed -> submit()
		:: else -> req = ENDED; ends = 1
		fi
	}
	req == ENDED
}

active proctype hardware()
{
end:	do
	:: atomic { present && running && knows && req == BUSY && door != SHUT ->
		knows = false; end_req() }
	/* It reads and writes memory that it was told of, whenever it likes. */
	:: atomic { present && running && knows -> assert(!freed) }
	:: atomic { present && stops -> stops = false }
	:: atomic { present -> present = false; running = false; knows = false;
		break }
	od
}

init {
	atomic { run thread(); run program(); run detach() }
	_nr_pr <= 2;
	assert(req == ENDED && ends == 1);
	assert(thread_ended && state == LEAVING);
	assert(silent || kept || !knows)
}
