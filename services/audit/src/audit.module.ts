import type { DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AuditController } from './http/audit.controller.ts';
import { DecisionAuditsController } from './http/decision-audits.controller.ts';
import { DecisionsController } from './http/decisions.controller.ts';
import { EntriesController } from './http/entries.controller.ts';
import { LogFilesController } from './http/log-files.controller.ts';
import { ExportsController } from './http/exports.controller.ts';
import { RefusedReads } from './http/refused-reads.ts';
import { RestoredController } from './http/restored.controller.ts';
import { TailController } from './http/tail.controller.ts';
import { tokens } from './http/tokens.ts';
import { WitnessesController } from './http/witnesses.controller.ts';
import type { AuditParts } from './audit-parts.ts';

export class AuditModule {
  /** Only wires: the parts are built by the service's start. */
  static over(parts: AuditParts): DynamicModule {
    return {
      module: AuditModule,
      controllers: [
        AuditController,
        EntriesController,
        ExportsController,
        TailController,
        LogFilesController,
        DecisionAuditsController,
        DecisionsController,
        RestoredController,
        WitnessesController,
      ],
      providers: [
        { provide: tokens.reader, useValue: parts.reader },
        { provide: tokens.facets, useValue: parts.facets },
        { provide: tokens.exporter, useValue: parts.exporter },
        { provide: tokens.tails, useValue: parts.tails },
        { provide: tokens.decisionAudits, useValue: parts.decisionAudits },
        { provide: tokens.records, useValue: parts.records },
        { provide: APP_INTERCEPTOR, useValue: new RefusedReads(parts.records) },
        { provide: tokens.status, useValue: parts.status },
        { provide: tokens.proofs, useValue: parts.proofs },
        { provide: tokens.checkpoints, useValue: parts.checkpoints },
        { provide: tokens.tiles, useValue: parts.tiles },
        { provide: tokens.disclosures, useValue: parts.disclosures },
        { provide: tokens.inbox, useValue: parts.inbox },
        { provide: tokens.restoration, useValue: parts.restoration },
        { provide: tokens.cosignatures, useValue: parts.cosignatures },
      ],
    };
  }
}
