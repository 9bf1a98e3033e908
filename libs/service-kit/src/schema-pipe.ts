import { StandardSchemaValidationPipe } from '@nestjs/common';
import { invalid, type SchemaIssue } from './app-error-from.ts';

/** Validates what a route declares with `@Body({ schema })`, `@Query({ schema })` or `@Param(name, { schema })`. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues: readonly SchemaIssue[]) => invalid(issues) });
  }

  /** The JSON parser refuses such keys already; dropping some here would store other data than was sent. */
  protected override stripProtoKeys(): void {}
}
