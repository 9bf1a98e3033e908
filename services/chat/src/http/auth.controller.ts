import {
  createAccountSchema,
  changeAccountSchema,
  guestSchema,
  loginSchema,
  logoutSchema,
  refreshSchema,
  registerSchema,
  type CreateAccount,
  userSchema,
  type ChangeAccount,
  type Session,
  type User,
} from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { JWK } from 'jose';
import { z } from 'zod';
import type { Accounts } from '../accounts/accounts.ts';
import type { SigningKeys } from '../accounts/signing-keys.ts';
import { available } from '../store/available.ts';
import { addressOf, administratorOf, identityOf } from './forwarded.ts';
import { tokens } from './tokens.ts';

type Register = z.infer<typeof registerSchema>;
type Login = z.infer<typeof loginSchema>;
type Guest = z.infer<typeof guestSchema>;
type Refresh = z.infer<typeof refreshSchema>;

/** What the gateway passes on as `/v1/auth/…` and `/.well-known/jwks.json`. */
@Controller('/internal/v1')
export class AuthController {
  constructor(
    @Inject(tokens.accounts) private readonly accounts: Accounts,
    @Inject(tokens.signingKeys) private readonly keys: SigningKeys,
  ) {}

  @Get('jwks.json')
  async jwks(): Promise<{ keys: JWK[] }> {
    return { keys: await available(() => this.keys.publicKeys()) };
  }

  @Post('auth/register')
  @HttpCode(201)
  register(@Req() request: FastifyRequest, @Body({ schema: registerSchema }) body: Register): Promise<Session> {
    return this.accounts.register(body, addressOf(request));
  }

  @Post('auth/guest')
  @HttpCode(201)
  guest(@Req() request: FastifyRequest, @Body({ schema: guestSchema }) body: Guest): Promise<Session> {
    return this.accounts.guest(body.nickname, addressOf(request));
  }

  @Post('auth/login')
  @HttpCode(200)
  login(@Req() request: FastifyRequest, @Body({ schema: loginSchema }) body: Login): Promise<Session> {
    return this.accounts.login(body, addressOf(request));
  }

  @Post('auth/refresh')
  @HttpCode(200)
  refresh(@Body({ schema: refreshSchema }) body: Refresh): Promise<Session> {
    return this.accounts.refresh(body.refreshToken);
  }

  /** Ends the session of the access token, or, when that has run out, of the refresh token. */
  @Post('auth/logout')
  @HttpCode(204)
  async logout(@Req() request: FastifyRequest, @Body() body: unknown): Promise<void> {
    const { refreshToken } = logoutSchema.parse(body ?? {});
    const identity = identityOf(request);
    if (identity !== undefined) {
      if (!isOfThisSite(identity)) throw new AppError('forbidden', { detail: 'another issuer ends this session' });
      await this.accounts.logout(identity);
    } else if (refreshToken !== undefined) await this.accounts.logout({ refreshToken });
    else throw new AppError('token_missing');
  }

  @Get('auth/me')
  me(@Req() request: FastifyRequest): Promise<User> {
    const identity = identityOf(request);
    if (identity === undefined) throw new AppError('token_missing');
    if (isOfThisSite(identity)) return this.accounts.user(identity.userId);
    const { userId: id, name, roles } = identity;
    return Promise.resolve(userSchema.parse({ id, name, roles }));
  }

  @Post('auth/accounts')
  @HttpCode(201)
  create(@Req() request: FastifyRequest, @Body({ schema: createAccountSchema }) body: CreateAccount): Promise<User> {
    const identity = identityOf(request);
    if (identity === undefined) throw new AppError('token_missing');
    if (!identity.roles.includes('admin')) throw new AppError('forbidden');
    return this.accounts.create(body, body.roles, identity.userId);
  }

  @Patch('auth/accounts/:id')
  change(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Body({ schema: changeAccountSchema }) change: ChangeAccount,
  ): Promise<User & { disabled: boolean }> {
    if (identityOf(request) === undefined) throw new AppError('token_missing');
    const actor = administratorOf(request);
    if (!z.uuid().safeParse(id).success) throw new AppError('not_found', { detail: 'no such account' });
    return this.accounts.change(id, change, actor);
  }
}

/** People whom another issuer vouches for have no account here. */
const isOfThisSite = ({ userId }: { userId: string }) => z.uuid().safeParse(userId).success;
