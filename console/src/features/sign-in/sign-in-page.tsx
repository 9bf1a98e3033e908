import { Paper, Tabs, Text, Title } from '@mantine/core';
import { Navigate, useLocation } from 'react-router';
import { ColorSchemeToggle } from '../../app/color-scheme-toggle.tsx';
import { useClient, useSession } from '../../realtime/client-context.tsx';
import { Logo } from '../../ui/logo.tsx';
import { usePageTitle } from '../../ui/use-page-title.ts';
import { AccountForm } from './account-form.tsx';
import { GuestForm } from './guest-form.tsx';
import classes from './sign-in-page.module.css';

/** Three ways in; each leads back to where the person was going. */
export function SignInPage() {
  usePageTitle('Sign in');
  const { accounts } = useClient();
  const session = useSession();
  const from = (useLocation().state as { from?: string } | null)?.from ?? '/axonchat';
  if (session !== undefined) return <Navigate to={from} replace />;
  return (
    <main className={classes.page}>
      <div className={classes.top}>
        <Logo />
        <ColorSchemeToggle />
      </div>
      <Paper className={classes.card ?? ''} radius="lg" p="xl" withBorder>
        <Title order={1} size="h3">
          Welcome
        </Title>
        <Text c="dimmed" mt={4} mb="lg">
          Pick a nickname to look around, or use your account.
        </Text>
        <Tabs defaultValue="guest" keepMounted={false}>
          <Tabs.List grow mb="lg">
            <Tabs.Tab value="guest">Guest</Tabs.Tab>
            <Tabs.Tab value="login">Sign in</Tabs.Tab>
            <Tabs.Tab value="register">Register</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="guest">
            <GuestForm />
          </Tabs.Panel>
          <Tabs.Panel value="login">
            <AccountForm action="Sign in" submit={(name, password) => accounts.login(name, password)} />
          </Tabs.Panel>
          <Tabs.Panel value="register">
            <AccountForm action="Create account" isNew submit={(name, password) => accounts.register(name, password)} />
          </Tabs.Panel>
        </Tabs>
      </Paper>
      <Text size="xs" c="dimmed" ta="center">
        You stay signed in in this tab until you sign out or close it.
      </Text>
    </main>
  );
}
