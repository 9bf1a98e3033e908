import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import { Notice } from '../ui/notice.tsx';
import { usePageTitle } from '../ui/use-page-title.ts';

export function NotFoundPage() {
  usePageTitle('Not found');
  return (
    <Notice icon="compass" title="There is nothing at this address">
      <Anchor component={Link} to="/axonchat">
        Go to AxonChat
      </Anchor>
    </Notice>
  );
}
