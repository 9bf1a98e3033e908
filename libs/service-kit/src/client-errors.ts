import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { AppError } from './app-error.ts';
import { problemHeaders, replyRawProblem } from './problem-reply.ts';

/**
 * What Node's HTTP parser refuses before there is a request: broken syntax, oversized headers, a sender too slow.
 * Answered on the socket by hand, then closed.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  endWithProblem(socket, new AppError(codeOf(error)));
}

/** An answer is under way, such as an event stream: a status line would stand in the middle of its body. */
function isAnswering(socket: Duplex): boolean {
  const { _httpMessage: answer } = socket as Duplex & { _httpMessage?: ServerResponse | null };
  return answer?.headersSent === true;
}

/** Requests that Node would answer by itself, with no body: an unknown `Expect`, and `CONNECT`. */
export function answerOddRequests(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    replyRawProblem(response, new AppError('expectation_failed'));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    endWithProblem(socket, new AppError('method_not_allowed'));
  });
}

function codeOf(error: NodeJS.ErrnoException) {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  return error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed';
}

function endWithProblem(socket: Duplex, error: AppError): void {
  const body = JSON.stringify(error.toProblem());
  const headers = { ...problemHeaders(error), 'content-length': Buffer.byteLength(body), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}
