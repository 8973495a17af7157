/* SPDX-License-Identifier: ISC */
/*
 * device.pml - a model of one node of the device tree and its driver: attach,
 * detach, removal and I/O, all at once.  kernel/bus/device_life.c, gate.c,
 * intr.c, and the order of a driver's detach() in device.h.
 *
 * Checked over all interleavings: no two of attach() and detach() meet; each
 * successful attach() has one detach(); no user and no handler touches a softc
 * that is not there; each request ends once; the node leaves the tree once;
 * nobody waits for ever (spin's invalid end states).
 *
 * -DNO_TURN, -DNO_GATE, -DNO_DRAIN, -DNO_ENDING, -DNO_MARK leave out one rule
 * each; tests/spin/run sees to it that each is then found wanting.
 */

#define NREQS 2 /* requests, each by a user of its own */

mtype = { FOUND, ATTACHING, ATTACHED, DETACHING, GONE };
mtype = { IDLE, PENDING, ENDED };

/* The node: device_life.c. */
mtype state = ATTACHING; /* device_add() begins with the turn */
bool turn = true;
bool leaving, gone;
byte removed;

/* The driver's softc and what belongs to it. */
bool softc;      /* allocated */
byte busy;       /* attach() or detach() runs */
byte attaches, detaches;
bool published;  /* upper floors find its name */
bool awake;      /* the device answered to attach() */
bool shut;       /* no new requests */
bool closed;     /* gate.c */
byte inside;
bool listening;  /* the interrupt is established */
byte handlers;   /* that run */
mtype req[NREQS] = IDLE;
byte ends[NREQS];

bool alive = true; /* the hardware, as long as it likes */

inline take_turn()
{
#ifdef NO_TURN
	skip
#else
	atomic { !turn -> turn = true }
#endif
}

inline end_turn()
{
	turn = false
}

/* The order never varies; a half-built softc is as good. */
inline driver_down(i)
{
	shut = true;
	closed = true;
#ifndef NO_GATE
	inside == 0;
#endif
	listening = false;
#ifndef NO_DRAIN
	handlers == 0;
#endif
	i = 0;
	do
	:: i < NREQS ->
		atomic {
			if
#ifndef NO_ENDING
			:: req[i] == PENDING -> req[i] = ENDED; ends[i]++
#endif
			:: else
			fi
		}
		i++
	:: else -> break
	od;
	published = false
}

inline driver_attach(i, ok)
{
	atomic { assert(busy == 0); busy++ }
	listening = true;
	/* It sleeps for an answer of the device, or for its end. */
	if
	:: awake && !gone -> ok = true
	:: awake && !gone -> ok = false /* it does not like what it reads */
#ifndef NO_MARK
	:: gone -> ok = false
#endif
	fi;
	if
	:: ok ->
		atomic { shut = false; closed = false; published = true }
	:: else ->
		driver_down(i)
	fi;
	busy--
}

inline driver_detach(i)
{
	atomic { assert(busy == 0 && softc); busy++; detaches++ }
	driver_down(i);
	busy--
}

/* Turn held, state FOUND, or ATTACHING in device_add(). */
inline attach_turn(i, ok)
{
	if
	:: leaving || gone -> state = FOUND
	:: else ->
		atomic {
			assert(!softc);
			softc = true; awake = false;
			state = ATTACHING
		}
		driver_attach(i, ok);
		if
		:: ok -> atomic { attaches++; state = ATTACHED }
		:: else -> atomic { softc = false; state = FOUND }
		fi
	fi
}

inline detach_turn(i)
{
	state = DETACHING;
	driver_detach(i);
	atomic { softc = false; state = FOUND }
}

proctype adder()
{
	byte i; bool ok;

	attach_turn(i, ok);
	end_turn()
}

/* devctl detach, devctl attach */
proctype admin()
{
	byte i; bool ok;

	take_turn();
	if
	:: state == ATTACHED -> detach_turn(i)
	:: else
	fi;
	end_turn();
	take_turn();
	if
	:: state == FOUND -> attach_turn(i, ok)
	:: else
	fi;
	end_turn()
}

proctype remover(bool is_gone)
{
	byte i;

	atomic { leaving = true; gone = gone || is_gone }
	take_turn();
	if
	:: state == ATTACHED -> detach_turn(i)
	:: else
	fi;
	if
	:: state != GONE -> atomic { state = GONE; removed++ }
	:: else
	fi;
	end_turn()
}

/* An upper floor: finds the name, submits, sleeps until the request ended. */
proctype user(byte r)
{
	bool in, sent;

	atomic {
		if
		:: published && !closed -> in = true; inside++
		:: else
		fi
	}
	if
	:: in ->
		atomic { /* the softc's lock */
			assert(softc);
			if
			:: shut
			:: else -> req[r] = PENDING; sent = true
			fi
		}
		inside--
	:: else
	fi;
	if
	:: sent ->
		req[r] == ENDED;
		assert(ends[r] == 1)
	:: else
	fi
}

/* It answers, once or never, in any order, until it is silent. */
active proctype hardware()
{
	byte r;

end:	do
	:: atomic { alive && listening && !awake -> handlers++ };
		atomic { assert(softc); awake = true; handlers-- }
	:: atomic {
		alive && listening && (req[0] == PENDING || req[1] == PENDING)
		-> handlers++
	   };
		if
		:: r = 0
		:: r = 1
		fi;
		atomic {
			assert(softc);
			if
			:: req[r] == PENDING -> req[r] = ENDED; ends[r]++
			:: else
			fi;
			handlers--
		}
	:: alive -> alive = false; break
	od
}

init {
	atomic {
		run adder();
		run admin();
		run remover(false); /* asked */
		run remover(true);  /* gone */
		run user(0);
		run user(1)
	}
	/* All but the hardware have ended. */
	_nr_pr <= 2;
	assert(state == GONE && removed == 1 && !softc && !turn);
	assert(attaches == detaches && !published && inside == 0);
	assert(ends[0] <= 1 && ends[1] <= 1);
	assert(req[0] != PENDING && req[1] != PENDING)
}
