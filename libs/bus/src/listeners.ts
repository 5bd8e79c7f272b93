import { OnEvent } from '@nestjs/event-emitter';
import type { FactName, Facts, Receipt } from './facts.js';
import type { Answer, Ask, QuestionName } from './questions.js';

/** A method decorator that only fits methods of type `Method`. */
type DecoratorOf<Method> = <Actual extends Method>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Actual>,
) => void;

/**
 * Listens to a fact. The method's parameter must be that fact's payload. An error it throws reaches the publisher
 * (Nest's own default would swallow it); a listener of a durable fact returns a {@link Receipt} once its work is committed.
 */
export function OnFact<Name extends FactName>(
  name: Name,
): DecoratorOf<(fact: Facts[Name]) => Promise<Receipt | void> | Receipt | void> {
  return OnEvent(name, { suppressErrors: false });
}

/** Answers a question. Exactly one method in the application may answer each question. */
export function OnQuestion<Name extends QuestionName>(
  name: Name,
): DecoratorOf<(ask: Ask<Name>) => Promise<Answer<Name>> | Answer<Name>> {
  return OnEvent(name, { suppressErrors: false });
}
