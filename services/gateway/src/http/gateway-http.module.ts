import { Module, type DynamicModule } from '@nestjs/common';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { BoardsController } from './boards.controller.ts';
import { EventsController } from './events.controller.ts';
import { MembersController } from './members.controller.ts';
import { StateController } from './state.controller.ts';
import { StreamController } from './stream.controller.ts';

/** The public routes that the gateway answers itself. */
@Module({})
export class GatewayHttpModule {
  static with(gateway: Gateway): DynamicModule {
    return {
      module: GatewayHttpModule,
      controllers: [BoardsController, MembersController, EventsController, StateController, StreamController],
      providers: [{ provide: GATEWAY, useValue: gateway }],
    };
  }
}
