import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { limits, nameSchema, passwordSchema } from '@boardwire/contracts';
import { useState } from 'react';
import { FormFailure } from './form-failure.tsx';
import { useSubmit } from './use-submit.ts';

interface AccountFormProps {
  action: string;
  /** A new account's name and password are held to their rules; an old one's are what they are. */
  isNew?: boolean;
  submit: (name: string, password: string) => Promise<unknown>;
}

export function AccountForm({ action, isNew = false, submit }: AccountFormProps) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const isComplete = isNew
    ? nameSchema.safeParse(name.trim()).success && passwordSchema.safeParse(password).success
    : name !== '' && password !== '';
  const { isBusy, failure, onSubmit } = useSubmit(() => submit(name.trim(), password));
  return (
    <form onSubmit={onSubmit} aria-label={action}>
      <Stack>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="username"
          dir="auto"
          required
        />
        <PasswordInput
          label="Password"
          description={isNew ? `At least ${limits.passwordCharsMin} characters` : undefined}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete={isNew ? 'new-password' : 'current-password'}
          required
        />
        <FormFailure text={failure} />
        <Button type="submit" loading={isBusy} disabled={!isComplete} fullWidth>
          {action}
        </Button>
      </Stack>
    </form>
  );
}
