import { Injectable, Module, type INestApplicationContext, type OnModuleInit, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Bus } from './bus.js';
import { BusModule } from './bus.module.js';
import type { Facts, Receipt } from './facts.js';
import { OnFact, OnQuestion } from './listeners.js';
import type { Ask } from './questions.js';

const change: Facts['drive.file_changed'] = {
  eventId: 'e1',
  bandId: 'b1',
  fileId: 'f1',
  path: 'Tune_Bb.pdf',
  revision: 1,
  at: '2026-11-23T20:00:00.000Z',
};
const session: Facts['auth.user_logged_in'] = { userId: 'tina', sessionId: 's1', at: '2026-11-23T20:00:00.000Z' };

@Injectable()
class Archive {
  readonly heard: string[] = [];

  @OnFact('drive.file_changed')
  async changed({ eventId }: Facts['drive.file_changed']): Promise<Receipt> {
    await Promise.resolve();
    this.heard.push(eventId);
    return { receipt: `archived ${eventId}` };
  }
}

@Injectable()
class Index {
  @OnFact('drive.file_changed')
  changed({ eventId }: Facts['drive.file_changed']): Receipt {
    return { receipt: `indexed ${eventId}` };
  }
}

/** Hears the fact and stores nothing. */
@Injectable()
class Onlooker {
  @OnFact('drive.file_changed')
  changed(): void {}
}

@Injectable()
class Broken {
  @OnFact('drive.file_changed')
  changed(): Receipt {
    throw new Error('the disk is full');
  }

  @OnFact('auth.user_logged_in')
  async loggedIn(): Promise<void> {
    throw new Error('nobody home');
  }
}

@Injectable()
class Roster {
  @OnQuestion('auth.memberships_requested')
  memberships({ userId }: Ask<'auth.memberships_requested'>): { memberships: [] } {
    if (userId === 'nobody') throw new RangeError('no such user');
    return { memberships: [] };
  }
}

@Injectable()
class SecondRoster extends Roster {
  @OnQuestion('auth.memberships_requested')
  override memberships(): { memberships: [] } {
    return { memberships: [] };
  }
}

let context: INestApplicationContext | null = null;
afterEach(async () => {
  await context?.close();
  context = null;
});

async function busWith(...providers: Type[]): Promise<{ bus: Bus; get: INestApplicationContext['get'] }> {
  const app = await Test.createTestingModule({ imports: [BusModule], providers }).compile();
  context = await app.init();
  return { bus: context.get(Bus), get: context.get.bind(context) };
}

describe('a fact', () => {
  test('of a durable source returns the receipt of every listener that gave one', async () => {
    const { bus } = await busWith(Archive, Index, Onlooker);
    const receipts = await bus.publish('drive.file_changed', change);
    expect(receipts.map(({ receipt }) => receipt).sort()).toEqual(['archived e1', 'indexed e1']);
  });

  test('of a durable source fails when nobody listens, so that its source keeps it', async () => {
    const { bus } = await busWith();
    await expect(bus.publish('drive.file_changed', change)).rejects.toMatchObject({
      code: 'no_receipt',
      retryable: true,
      status: 503,
    });
  });

  test('of a durable source fails when those who listen confirm nothing', async () => {
    const { bus } = await busWith(Onlooker);
    await expect(bus.publish('drive.file_changed', change)).rejects.toMatchObject({ code: 'no_receipt' });
  });

  test('told before the listeners are attached is not taken for delivered', async () => {
    const early: { outcome?: unknown } = {};
    @Injectable()
    class Hasty implements OnModuleInit {
      constructor(private readonly bus: Bus) {}

      async onModuleInit(): Promise<void> {
        early.outcome = await this.bus.publish('drive.file_changed', change).catch((error: unknown) => error);
      }
    }
    @Module({ providers: [Hasty, Archive] })
    class Source {}
    const app = await Test.createTestingModule({ imports: [BusModule, Source] }).compile();
    context = await app.init();
    expect(early.outcome).toMatchObject({ code: 'no_receipt' });

    const bus = context.get(Bus);
    await bus.ready();
    await expect(bus.publish('drive.file_changed', change)).resolves.toEqual([{ receipt: 'archived e1' }]);
  });

  test('surfaces the error of one listener only after all the others have run', async () => {
    const { bus, get } = await busWith(Broken, Archive);
    await expect(bus.publish('drive.file_changed', change)).rejects.toThrow('the disk is full');
    expect(get(Archive).heard).toEqual(['e1']);
  });

  test('that is told at most once needs no listener, but does not swallow the error of one', async () => {
    await expect((await busWith()).bus.publish('auth.user_logged_in', session)).resolves.toEqual([]);
    await context?.close();
    await expect((await busWith(Broken)).bus.publish('auth.user_logged_in', session)).rejects.toThrow('nobody home');
  });
});

describe('a question', () => {
  test('is answered by the one who answers it', async () => {
    const { bus } = await busWith(Roster);
    await expect(bus.request('auth.memberships_requested', { userId: 'tina' })).resolves.toEqual({ memberships: [] });
  });

  test('surfaces the error of its answerer as it is, even one thrown before a promise was made', async () => {
    const { bus } = await busWith(Roster);
    await expect(bus.request('auth.memberships_requested', { userId: 'nobody' })).rejects.toBeInstanceOf(RangeError);
  });

  test('that nobody answers may be asked again later', async () => {
    const { bus } = await busWith();
    await expect(bus.request('auth.memberships_requested', { userId: 'tina' })).rejects.toMatchObject({
      code: 'no_answer',
      retryable: true,
    });
  });

  test('that two modules answer is a fault of the application, which asking again does not cure', async () => {
    const { bus } = await busWith(Roster, SecondRoster);
    await expect(bus.request('auth.memberships_requested', { userId: 'tina' })).rejects.toMatchObject({
      code: 'many_answers',
      retryable: false,
    });
  });
});
