import { Module, type DynamicModule } from '@nestjs/common';
import { PostController } from './http/post.controller.ts';
import { PostMessage } from './post/post-message.ts';

@Module({})
class AxonchatModule {}

export function axonchatModule(postMessage: PostMessage): DynamicModule {
  return {
    module: AxonchatModule,
    controllers: [PostController],
    providers: [{ provide: PostMessage, useValue: postMessage }],
  };
}
