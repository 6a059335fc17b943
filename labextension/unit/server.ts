import { ServerConnection } from '@jupyterlab/services';
import { Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a route answers with. */
export type Answer = { status: number; body: unknown };

/** A web server on this machine whose answers a test decides. */
export class TestServer {
  /** Answers per "METHOD path"; a promise is waited for. */
  readonly routes = new Map<string, () => Answer | Promise<Answer>>();

  /** What was asked, in order. */
  readonly asked: string[] = [];

  /** The cloud that the newest question was about; null for none. */
  cloud: string | null = null;

  /** Bodies that were sent, in order. */
  readonly bodies: string[] = [];

  async start(): Promise<ServerConnection.ISettings> {
    this._server = createServer((request, response) => {
      const { pathname: path, searchParams } = new URL(
        request.url ?? '',
        'http://localhost'
      );
      this.cloud = searchParams.get('cloud');
      const call = `${request.method ?? ''} ${path}`;
      this.asked.push(call);
      const route = this.routes.get(call);
      void (async () => {
        let body = '';
        for await (const chunk of request) {
          body += String(chunk);
        }
        if (body !== '') {
          this.bodies.push(body);
        }
        const answer = route ? await route() : { status: 404, body: '<html>' };
        response.writeHead(answer.status, {
          'Content-Type': 'application/json'
        });
        response.end(JSON.stringify(answer.body));
      })();
    });
    const server = this._server;
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}/user/x/`;
    return ServerConnection.makeSettings({ baseUrl, wsUrl: baseUrl });
  }

  async stop(): Promise<void> {
    const server = this._server;
    this._server = null;
    if (server) {
      server.closeAllConnections();
      await new Promise<void>(done => server.close(() => done()));
    }
  }

  /** Answer `call` with `body`. */
  answer(call: string, body: unknown, status = 200): void {
    this.routes.set(call, () => ({ status, body }));
  }

  /** How often `call` was asked. */
  count(call: string): number {
    return this.asked.filter(asked => asked === call).length;
  }

  private _server: Server | null = null;
}
