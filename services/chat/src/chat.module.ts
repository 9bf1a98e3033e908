import type { DynamicModule } from '@nestjs/common';
import type { ChatParts } from './chat-parts.ts';
import { AuthController } from './http/auth.controller.ts';
import { BoardsController } from './http/boards.controller.ts';
import { IgnoresController } from './http/ignores.controller.ts';
import { LogController } from './http/log.controller.ts';
import { MembersController } from './http/members.controller.ts';
import { RemovalsController } from './http/removals.controller.ts';
import { TicketsController } from './http/tickets.controller.ts';
import { tokens } from './http/tokens.ts';

export class ChatModule {
  /** Only wires: the parts are built by the service's start. */
  static over(parts: ChatParts): DynamicModule {
    return {
      module: ChatModule,
      controllers: [
        LogController,
        RemovalsController,
        BoardsController,
        MembersController,
        IgnoresController,
        AuthController,
        TicketsController,
      ],
      providers: [
        { provide: tokens.appendLog, useValue: parts.appendLog },
        { provide: tokens.readLog, useValue: parts.readLog },
        { provide: tokens.sync, useValue: parts.sync },
        { provide: tokens.epochs, useValue: parts.epochs },
        { provide: tokens.disclosures, useValue: parts.disclosures },
        { provide: tokens.removals, useValue: parts.removals },
        { provide: tokens.retentionStore, useValue: parts.retentionStore },
        { provide: tokens.boards, useValue: parts.boards },
        { provide: tokens.members, useValue: parts.members },
        { provide: tokens.ignores, useValue: parts.ignores },
        { provide: tokens.tickets, useValue: parts.tickets },
        { provide: tokens.accounts, useValue: parts.accounts },
        { provide: tokens.signingKeys, useValue: parts.signingKeys },
      ],
    };
  }
}
