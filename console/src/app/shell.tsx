import { ActionIcon, AppShell, Burger, Group, NavLink, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { User } from '@boardwire/contracts';
import type { ReactNode } from 'react';
import { NavLink as RouterLink, useLocation } from 'react-router';
import { useClient } from '../realtime/client-context.tsx';
import { Icon } from '../ui/icon.tsx';
import { InitialsAvatar } from '../ui/initials-avatar.tsx';
import { Logo } from '../ui/logo.tsx';
import { ColorSchemeToggle } from './color-scheme-toggle.tsx';
import { destinations } from './navigation.ts';
import classes from './shell.module.css';

/** Header, side bar and the place for a screen. On a narrow window the side bar opens by the button in the header. */
export function Shell({ user, children }: { user: User; children: ReactNode }) {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  return (
    <AppShell
      header={{ height: 52, collapsed: false }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={0}
      transitionDuration={0}
    >
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" gap="sm">
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
          <Logo />
          <ColorSchemeToggle />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} p="sm" aria-label="Screens">
        <Destinations user={user} onVisit={close} />
        <Account user={user} />
      </AppShell.Navbar>
      <AppShell.Main className={classes.main} id="main" tabIndex={-1}>
        {children}
      </AppShell.Main>
    </AppShell>
  );
}

function Destinations({ user, onVisit }: { user: User; onVisit: () => void }) {
  const { pathname } = useLocation();
  const shown = destinations.filter(({ isFor }) => isFor === undefined || isFor(user));
  return (
    <Stack gap={4} flex={1}>
      {shown.map(({ path, label, icon }) => (
        <NavLink
          key={path}
          component={RouterLink}
          to={path}
          label={label}
          leftSection={<Icon name={icon} />}
          active={pathname.startsWith(path)}
          className={classes.link ?? ''}
          onClick={onVisit}
        />
      ))}
    </Stack>
  );
}

function Account({ user }: { user: User }) {
  const client = useClient();
  // Signing out succeeds on this side even when the site can't be told.
  const signOut = () => void client.accounts.logout().catch(() => undefined);
  return (
    <Group className={classes.account ?? ''} gap="sm" wrap="nowrap">
      <InitialsAvatar id={user.id} name={user.name} size={32} />
      <div className={classes.identity}>
        <Text size="sm" fw={600} truncate dir="auto">
          {user.name}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {user.roles.join(', ')}
        </Text>
      </div>
      <ActionIcon variant="subtle" color="gray" onClick={signOut} aria-label="Sign out" title="Sign out">
        <Icon name="leave" />
      </ActionIcon>
    </Group>
  );
}
