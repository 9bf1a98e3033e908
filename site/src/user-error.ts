/** Something only the user can change. Its message says what; a stack trace would not help. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
