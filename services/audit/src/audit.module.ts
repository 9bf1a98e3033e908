import type { DynamicModule } from '@nestjs/common';
import { AuditController } from './http/audit.controller.ts';
import { DecisionsController } from './http/decisions.controller.ts';
import { EntriesController } from './http/entries.controller.ts';
import { RestoredController } from './http/restored.controller.ts';
import { tokens } from './http/tokens.ts';
import type { AuditParts } from './audit-parts.ts';

export class AuditModule {
  /** Only wires: the parts are built by the service's start. */
  static over({ reader, facets, status, proofs, inbox, restoration }: AuditParts): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController, EntriesController, DecisionsController, RestoredController],
      providers: [
        { provide: tokens.reader, useValue: reader },
        { provide: tokens.facets, useValue: facets },
        { provide: tokens.status, useValue: status },
        { provide: tokens.proofs, useValue: proofs },
        { provide: tokens.inbox, useValue: inbox },
        { provide: tokens.restoration, useValue: restoration },
      ],
    };
  }
}
