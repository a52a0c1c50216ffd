import type { DebugProtocol } from '@vscode/debugprotocol';
import { exceptionFilters } from './dap_exceptions';

/** What the debug session can do. */
export function capabilities(): DebugProtocol.Capabilities {
  return {
    supportsConfigurationDoneRequest: true,
    supportsFunctionBreakpoints: true,
    supportsConditionalBreakpoints: true,
    supportsHitConditionalBreakpoints: true,
    supportsLogPoints: true,
    supportsDataBreakpoints: true,
    supportsEvaluateForHovers: true,
    supportsStepBack: true,
    supportsGotoTargetsRequest: true,
    supportsRestartRequest: true,
    supportsExceptionInfoRequest: true,
    supportsExceptionFilterOptions: true,
    exceptionBreakpointFilters: exceptionFilters(),
    supportsCompletionsRequest: true,
    completionTriggerCharacters: [' ', '=', ':', '~'],
    supportsReadMemoryRequest: true,
    supportsTerminateRequest: true,
    supportsCancelRequest: true,
    supportsDelayedStackTraceLoading: true,
    supportsBreakpointLocationsRequest: true,
    supportsLoadedSourcesRequest: true,
    supportsValueFormattingOptions: false,
  };
}
