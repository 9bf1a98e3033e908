import { Button, Stack, TextInput } from '@mantine/core';
import { limits, nameSchema } from '@boardwire/contracts';
import { useState } from 'react';
import { useClient } from '../../realtime/client-context.tsx';
import { FormFailure } from './form-failure.tsx';
import { useSubmit } from './use-submit.ts';

export function GuestForm() {
  const { accounts } = useClient();
  const [nickname, setNickname] = useState('');
  const isValid = nameSchema.safeParse(nickname.trim()).success;
  const { isBusy, failure, onSubmit } = useSubmit(() => accounts.guest(nickname.trim()));
  return (
    <form onSubmit={onSubmit} aria-label="Enter as guest">
      <Stack>
        <TextInput
          label="Nickname"
          description={`${limits.nameCharsMin} to ${limits.nameCharsMax} characters; others see it`}
          value={nickname}
          onChange={(event) => setNickname(event.currentTarget.value)}
          maxLength={limits.nameCharsMax}
          autoComplete="nickname"
          dir="auto"
          required
          // The one thing to do on this screen.
          autoFocus
        />
        <FormFailure text={failure} />
        <Button type="submit" loading={isBusy} disabled={!isValid} fullWidth>
          Enter as guest
        </Button>
      </Stack>
    </form>
  );
}
