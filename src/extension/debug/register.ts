import * as vscode from 'vscode';
import type { Traces } from '../traces';
import { DebugHosts, STACK_SCHEME } from './adapter';
import { DEBUG_TYPE, DynamicConfigurations, InitialConfigurations, START_AT } from './configurations';

/** Registers the debugger: configurations, and the adapter that runs in this process. */
export function registerDebugger(context: vscode.ExtensionContext, traces: Traces): DebugHosts {
  const { debug, DebugConfigurationProviderTriggerKind: kind } = vscode;
  const hosts = new DebugHosts(context.extensionUri, traces);
  const follow = (session: vscode.DebugSession | undefined): void => {
    const entry = hosts.entryOf(session);
    if (entry !== undefined) traces.select(entry);
  };
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(STACK_SCHEME, {
      provideTextDocumentContent: (uri) => hosts.stackText(uri),
    }),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new InitialConfigurations(traces), kind.Initial),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new DynamicConfigurations(traces), kind.Dynamic),
    debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: async (session) => {
        const [{ DebugSession, GOTO_REQUEST }, host] = await Promise.all([
          import('../../debug/dap_session'),
          hosts.hostOf(session),
        ]);
        const adapter = new DebugSession(host);
        const sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
        const start: unknown = session.configuration[START_AT];
        let entered = start === undefined;
        const listener = adapter.onDidSendMessage((message) => {
          sent.fire(message);
          if (entered || message.type !== 'event' || !('event' in message) || message.event !== 'stopped')
            return;
          entered = true;
          void session.customRequest(GOTO_REQUEST, start);
        });
        return new vscode.DebugAdapterInlineImplementation({
          onDidSendMessage: sent.event,
          handleMessage: (message) => {
            void adapter.handleMessage(message as Parameters<typeof adapter.handleMessage>[0]);
          },
          dispose: () => {
            listener.dispose();
            adapter.dispose();
            sent.dispose();
          },
        });
      },
    }),
    debug.onDidChangeActiveDebugSession(follow),
    debug.onDidTerminateDebugSession((session) => hosts.ended(session)),
  );
  return hosts;
}
