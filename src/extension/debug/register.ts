import * as vscode from 'vscode';
import type { Traces } from '../traces';
import { DebugHosts } from './adapter';
import { DEBUG_TYPE, DynamicConfigurations, InitialConfigurations } from './configurations';

/** Registers the debugger: configurations, and the adapter that runs in this process. */
export function registerDebugger(context: vscode.ExtensionContext, traces: Traces): DebugHosts {
  const { debug, DebugConfigurationProviderTriggerKind: kind } = vscode;
  const hosts = new DebugHosts(context.extensionUri, traces);
  const follow = (session: vscode.DebugSession | undefined): void => {
    const entry = hosts.entryOf(session);
    if (entry !== undefined) traces.select(entry);
  };
  context.subscriptions.push(
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new InitialConfigurations(), kind.Initial),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new DynamicConfigurations(traces), kind.Dynamic),
    debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: async (session) => {
        const [{ DebugSession }, host] = await Promise.all([
          import('../../debug/dap_session'),
          hosts.hostOf(session),
        ]);
        const adapter = new DebugSession(host);
        const sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
        const listener = adapter.onDidSendMessage((message) => sent.fire(message));
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
