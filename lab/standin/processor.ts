/** The Transaction Manager's work: takes the events that were given to this Server, a few at a time, and processes them. */
import { randomUUID } from 'node:crypto';
import type { Lies } from './lies';
import { listenTo } from './listen';
import { Abandoned, pull, push } from './processing';
import { channelOf, redispatch } from './queue/dispatch';
import { beatEvents, fail, findTaken, finish, takeEvents, type Task } from './queue/take';
import type { Context } from './service';

/** Events a TM processes at once (**ours**). */
const atOnce = 8;

export interface Processor {
  /** Once a second, with the heartbeat: what a missed notification or a lost Server left is found here. */
  look(): Promise<void>;
  /** Takes nothing new; what it works on goes on. */
  drain(): void;
  resume(): void;
  stop(): Promise<void>;
}

export function startProcessor(context: Context, lies: Lies): Processor {
  const { home, pool, log } = context;
  const taker = randomUUID();
  const working = new Map<string, Task>();
  let open = true;
  let asking = false;
  let askAgain = false;
  const halted = () => context.stopping();

  /** `all`: also what a call took whose answer was lost with the database; it may have been done long after the call. */
  const take = async ({ all = false } = {}): Promise<void> => {
    if (asking) {
      askAgain = true;
      return;
    }
    asking = true;
    try {
      if (all && !halted()) for (const task of await findTaken(pool, taker, [...working.keys()])) begin(task);
      do {
        askAgain = false;
        const room = atOnce - working.size;
        if (!open || halted() || room <= 0) break;
        const tasks = await takeEvents(pool, home, taker, room);
        for (const task of tasks) begin(task);
        askAgain ||= tasks.length === room;
      } while (askAgain);
    } catch (error) {
      log('WARN', `The event queue can't be read: ${(error as Error).message}`);
    } finally {
      asking = false;
    }
  };

  const begin = (task: Task): void => {
    working.set(task.id, task);
    context.setBusy(working.size);
    void work(task).finally(() => {
      // One that was stopped at once leaves everything as it lies, its count too.
      if (halted()) return;
      working.delete(task.id);
      context.setBusy(working.size);
      void take();
    });
  };

  const work = async (task: Task): Promise<void> => {
    try {
      const done = task.kind === 'PULL' ? await pull(home, task, halted) : await push(home, task, halted);
      await insist(() => finish(pool, home, task, done));
      await done.clear();
      log('INFO', `${task.kind} ${task.filename} of account ${task.account} was processed.`);
    } catch (error) {
      if (error instanceof Abandoned) return;
      const why = (error as Error).message;
      log('ERROR', `${task.filename} of account ${task.account}: ${why}`);
      const linger = lies.tell(0.5, 'activeEvents');
      await insist(() => fail(pool, home, task, why, { linger })).catch(() => undefined);
    }
  };

  /** A database that is away for a moment is waited for: what was processed must be noted. */
  const insist = async (note: () => Promise<void>): Promise<void> => {
    for (;;) {
      if (halted()) throw new Abandoned();
      try {
        return await note();
      } catch (error) {
        log('WARN', `The database does not take a note: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  };

  const ear = listenTo(home, channelOf(home.id), () => void take());
  return {
    async look() {
      if (halted()) return;
      await ear.ensure();
      if (working.size > 0) await beatEvents(pool, [...working.keys()]);
      if (!open) return;
      await redispatch(pool);
      await take({ all: true });
    },
    drain() { open = false; },
    resume() { open = true; void take(); },
    async stop() {
      open = false;
      await ear.close();
      if (working.size > 0) log('WARN', `Stopped while ${working.size} events were processed: ${[...working.values()].map((task) => task.filename).join(', ')}`);
    },
  };
}
