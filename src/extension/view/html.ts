import * as vscode from 'vscode';

/** Folder of the script and the style sheet of the webview. */
const DIST = ['dist', 'webview'];

/** Options of our webviews: scripts, and files of the extension only. */
export function webviewOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return {
    enableScripts: true,
    localResourceRoots: [vscode.Uri.joinPath(extension, ...DIST), vscode.Uri.joinPath(extension, 'media')],
  };
}

/** The page of a view: nothing is loaded from anywhere else, nothing is evaluated, and only our one script runs. */
export function viewHtml(webview: vscode.Webview, extension: vscode.Uri): string {
  const script = webview.asWebviewUri(vscode.Uri.joinPath(extension, ...DIST, 'main.js'));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(extension, ...DIST, 'main.css'));
  const nonce = newNonce();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} blob: data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${attribute(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${attribute(style.toString())}">
<title>${attribute(vscode.l10n.t('Timeline'))}</title>
</head>
<body>
<script nonce="${nonce}" src="${attribute(script.toString())}"></script>
</body>
</html>`;
}

function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function attribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
