import { Injectable } from '@nestjs/common';
import { EventEmitter2, EventEmitterReadinessWatcher } from '@nestjs/event-emitter';
import { CodedError } from './coded-error.js';
import { durableFacts, type FactName, type Facts, type Receipt } from './facts.js';
import type { Answer, Ask, QuestionName } from './questions.js';

/**
 * The platform's bus: facts for whoever listens, questions for the one who answers. In-process and not durable: a source
 * that must not lose a fact keeps it until {@link publish} has returned.
 */
@Injectable()
export class Bus {
  constructor(
    private readonly emitter: EventEmitter2,
    private readonly readiness: EventEmitterReadinessWatcher,
  ) {}

  /** Resolves when all listeners are attached. Sources await it before their first fact. */
  async ready(): Promise<void> {
    await this.readiness.waitUntilReady();
  }

  /**
   * Tells a fact to every listener and waits for all of them.
   * @returns the receipts given, at least one for a durable fact
   * @throws the first listener's error, after all have run; CodedError `no_receipt` when a durable fact got none, which
   *   is what happens when its listener is not attached yet
   */
  async publish<Name extends FactName>(name: Name, fact: Facts[Name]): Promise<Receipt[]> {
    const listeners = this.emitter.listeners(name) as ((fact: Facts[Name]) => Promise<Receipt | void>)[];
    const outcomes = await Promise.allSettled(listeners.map(async (listener) => listener(fact)));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
    const receipts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []));
    if (receipts.length === 0 && durableFacts.has(name)) {
      throw new CodedError({
        code: 'no_receipt',
        message: `Nobody confirmed the fact "${name}".`,
        remedy: 'Await bus.ready() before publishing, and return a receipt from a listener of this fact.',
        status: 503,
        retryable: true,
      });
    }
    return receipts;
  }

  /**
   * Asks a question and returns its answer.
   * @throws the answerer's own error; CodedError `no_answer` when nobody answers this question, `many_answers` when two do
   */
  async request<Name extends QuestionName>(name: Name, ask: Ask<Name>): Promise<Answer<Name>> {
    const answerers = this.emitter.listeners(name) as ((ask: Ask<Name>) => Promise<Answer<Name>>)[];
    const [answerer, another] = answerers;
    if (!answerer || another) {
      throw new CodedError({
        code: answerer ? 'many_answers' : 'no_answer',
        message: answerer ? `More than one module answers "${name}".` : `No module answers "${name}".`,
        remedy: answerer ? 'Leave one @OnQuestion for it.' : 'Import the module that answers it, and ask after bootstrap.',
        status: 503,
        retryable: !answerer,
      });
    }
    return answerer(ask);
  }
}
