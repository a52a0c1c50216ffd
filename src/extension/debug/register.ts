import * as vscode from 'vscode';
import type { Traces } from '../traces';
import { DEBUG_TYPE, DynamicConfigurations, InitialConfigurations } from './configurations';

/** Registers the debugger: configurations, and the adapter that runs in this process. */
export function registerDebugger(context: vscode.ExtensionContext, traces: Traces): void {
  const { debug, DebugConfigurationProviderTriggerKind: kind } = vscode;
  context.subscriptions.push(
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new InitialConfigurations(), kind.Initial),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, new DynamicConfigurations(traces), kind.Dynamic),
    debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, {
      createDebugAdapterDescriptor: async () => {
        throw new Error('The debugger is not built yet');
      },
    }),
  );
}
