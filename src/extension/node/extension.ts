import type * as vscode from 'vscode';
import { activateCore, type Api } from '../activate';
import { ringLive } from './ring_task';

/** Called by VS Code on the desktop or a server when something of ours is first used. */
export function activate(context: vscode.ExtensionContext): Api {
  return activateCore(context, ringLive(context));
}
