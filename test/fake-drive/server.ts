import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.js';
import type { ChangesApi } from './changes-api.js';
import type { Credentials } from './credentials.js';
import type { Effect, Faults } from './faults.js';
import type { FilesApi, Media } from './files-api.js';
import { sendContent } from './media.js';
import { operationOf, unitsOf, type Operation } from './operation.js';
import type { Quota } from './quota.js';
import { bodyOf, Parameters, type ApiRequest } from './request.js';

/** A request that was answered. */
export interface ServedRequest {
  operation: Operation;
  /** Empty at the token endpoint, and where the credential was no good. */
  user: string;
  fileId: string | undefined;
  query: URLSearchParams;
  range: string | undefined;
  encoding: string | undefined;
  /** What it was answered with; 0 for a connection that was cut. */
  status: number;
}

const nobody = '';

/** The HTTP side: whose request it is, what it costs, what is to go wrong with it, who answers it. */
export class ApiServer {
  private readonly http: Server;
  /** Everything that was answered, in that order. */
  readonly served: ServedRequest[] = [];
  private readonly waiting = new Set<() => void>();
  rootUrl = '';

  constructor(
    private readonly files: FilesApi,
    private readonly changes: ChangesApi,
    private readonly credentials: Credentials,
    private readonly quota: Quota,
    private readonly faults: Faults,
  ) {
    this.http = createServer((request, response) => void this.serve(request, response));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => void this.http.listen(0, '127.0.0.1', resolve));
    this.rootUrl = `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.http.closeAllConnections();
    await closed;
  }

  /** Resolves as soon as the condition holds for what was answered so far. */
  async until(condition: (served: ServedRequest[]) => boolean): Promise<void> {
    if (condition(this.served)) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition(this.served)) return;
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.rootUrl);
    const asked = operationOf(request.method!, url);
    const body = await bodyOf(request);
    if (!asked) return sendError(response, new ApiError(404, 'notFound', 'Not Found'));
    const { operation, ids } = asked;
    const fileId = /^(files|revisions)/.test(operation) ? ids[0] : undefined;
    const { range, authorization, 'accept-encoding': encoding } = request.headers;
    const served: ServedRequest = { operation, user: nobody, fileId, query: url.searchParams, range, encoding, status: 0 };
    try {
      const user = operation === 'token' ? nobody : this.credentials.userOf(authorization, this.rootUrl);
      served.user = user;
      const effect = this.faults.take({ operation, fileId, user });
      await passGate(effect);
      if (effect.error) throw effect.error;
      this.quota.spend(user, unitsOf[operation]);
      const parameters = new Parameters(url.searchParams);
      await this.answer(operation, { user, ids, parameters, range, body }, response, effect);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sendError(response, error);
    }
    if (response.writableEnded) served.status = response.statusCode;
    this.served.push(served);
    for (const check of this.waiting) check();
  }

  private async answer(operation: Operation, request: ApiRequest, response: ServerResponse, effect: Effect): Promise<void> {
    const sendMedia = ({ content, mimeType }: Media): Promise<void> =>
      sendContent(response, content, mimeType, effect.range ?? request.range, effect.cutAfterBytes);
    switch (operation) {
      case 'files.get':
        return sendJson(response, 200, this.files.get(request));
      case 'files.list':
        return sendJson(response, 200, this.files.list(request));
      case 'files.download':
        return sendMedia(this.files.download(request));
      case 'files.export':
        return sendMedia(this.files.export(request));
      case 'revisions.list':
        return sendJson(response, 200, this.files.listRevisions(request));
      case 'revisions.get':
        return sendJson(response, 200, this.files.getRevision(request));
      case 'revisions.download':
        return sendMedia(this.files.downloadRevision(request));
      case 'changes.getStartPageToken':
        return sendJson(response, 200, this.changes.getStartPageToken(request));
      case 'changes.list':
        return sendJson(response, 200, this.changes.list(request));
      case 'changes.watch': {
        const { answer, afterwards } = await this.changes.watch(request);
        sendJson(response, 200, answer);
        return afterwards();
      }
      case 'channels.stop':
        this.changes.stop(request);
        response.writeHead(204).end();
        return;
      case 'drives.get':
        return sendJson(response, 200, this.changes.getDrive(request));
      case 'token':
        return this.sendToken(response, request.body);
    }
  }

  private sendToken(response: ServerResponse, form: string): void {
    const { status, body: answer } = this.credentials.token(new URLSearchParams(form), `${this.rootUrl}token`);
    sendJson(response, status, answer);
  }
}

async function passGate({ gate }: Effect): Promise<void> {
  if (!gate) return;
  gate.arrive();
  await gate.opened;
}

function sendError(response: ServerResponse, error: ApiError): void {
  sendJson(response, error.status, error.body, error.headers);
}

function sendJson(response: ServerResponse, status: number, answer: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=UTF-8', ...headers });
  response.end(JSON.stringify(answer));
}
