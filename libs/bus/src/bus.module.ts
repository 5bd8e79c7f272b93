import { Global, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Bus } from './bus.js';

/** Imported once, by the application; every module may then inject {@link Bus}. */
@Global()
@Module({
  imports: [EventEmitterModule.forRoot({ maxListeners: 50 })],
  providers: [Bus],
  exports: [Bus],
})
export class BusModule {}
