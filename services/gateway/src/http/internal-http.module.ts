import { Module, type DynamicModule } from '@nestjs/common';
import { GATEWAY, type Gateway } from '../gateway.ts';
import { InternalPresenceController } from './internal-presence.controller.ts';

/** What the other services and applets may ask of a gateway. */
@Module({})
export class InternalHttpModule {
  static with(gateway: Gateway): DynamicModule {
    return {
      module: InternalHttpModule,
      controllers: [InternalPresenceController],
      providers: [{ provide: GATEWAY, useValue: gateway }],
    };
  }
}
